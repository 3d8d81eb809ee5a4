"""The Slicer extension builds and installs, and Python finds the engine in the result."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from Testing.Project.source import PACKAGE, ROOT, package_files

cmake = pytest.importorskip("cmake", reason="the cmake package is part of the test extra")

CMAKE = Path(cmake.CMAKE_BIN_DIR) / "cmake"
MODULES = Path("lib/Slicer-5.12/qt-scripted-modules")
LISTS = (ROOT / "CMakeLists.txt").read_text("utf-8")


def run(*command: str | Path, cwd: Path | None = None) -> str:
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The build tree and the install tree, made with real CMake in a folder with a space."""
    folder = tmp_path_factory.mktemp("an extension")
    build, install = folder / "build", folder / "install"
    # The extension compiles nothing, so a machine without a compiler will do.
    no_compiler = [
        f"-DCMAKE_{language}_COMPILER{end}"
        for language in ("C", "CXX")
        for end in (f"={sys.executable}", "_FORCED=TRUE")
    ]
    slicer = f"-DSlicer_DIR={Path(__file__).parent / 'FakeSlicer'}"
    run(CMAKE, "-S", ROOT, "-B", build, slicer, f"-DCMAKE_INSTALL_PREFIX={install}", *no_compiler)
    run(CMAKE, "--build", build)
    run(CMAKE, "--install", build)
    return {"build": build / MODULES, "install": install / MODULES}


def shipped_files() -> set[str]:
    """What must be found in Slicer: every file of the package, and its models and samples."""
    others = [
        path
        for folder in ("Models", "Samples")
        for path in (ROOT / "Resources" / folder).rglob("*")
        if path.is_file()
    ]
    return package_files() | {
        f"DiffusionSegLib/{path.relative_to(ROOT).as_posix()}" for path in others
    }


@pytest.mark.parametrize("tree", ["build", "install"])
def test_every_file_of_the_engine_arrives(trees: dict[str, Path], tree: str) -> None:
    present = {
        path.relative_to(trees[tree]).as_posix()
        for path in trees[tree].rglob("*")
        if path.is_file()
    }
    assert shipped_files() - present == set()
    assert len(shipped_files()) > len(list(PACKAGE.glob("*.py")))


def test_no_compiled_leftovers_are_installed(trees: dict[str, Path]) -> None:
    assert list(trees["install"].rglob("__pycache__")) == []


@pytest.mark.parametrize("tree", ["build", "install"])
def test_python_imports_the_engine_from_there(trees: dict[str, Path], tree: str) -> None:
    """As Slicer does it: the module folder on the path, and not this checkout."""
    code = (
        f"import sys; sys.path.insert(0, {str(trees[tree])!r})\n"
        "import DiffusionSegLib; print(DiffusionSegLib.__file__)"
    )
    found = run(sys.executable, "-I", "-c", code, cwd=trees[tree].parent)
    assert Path(found.strip()).is_relative_to(trees[tree])


def test_the_description_is_not_read_as_diffusion_mri() -> None:
    description = re.search(r'EXTENSION_DESCRIPTION "(.*)"', LISTS)
    assert description
    assert "generative diffusion models" in description[1]
    assert "not process diffusion MRI" in description[1]
    assert "Not for clinical use" in description[1]


def test_the_name_is_that_of_the_folder_and_the_package() -> None:
    assert "project(DiffusionSeg)" in LISTS
    assert 'EXTENSION_CATEGORY "Segmentation"' in LISTS


@pytest.mark.parametrize("field", ["ICONURL", "SCREENSHOTURLS"])
def test_the_catalogues_pictures_lie_in_the_repository(field: str) -> None:
    address = re.search(rf'EXTENSION_{field} "(https://\S+)"', LISTS)
    assert address
    assert (ROOT / address[1].partition("/main/")[2]).is_file()
