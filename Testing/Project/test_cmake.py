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
MODULE = ROOT / "DiffusionSeg"
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


def engine_files() -> set[str]:
    """Every file of the package, its models and samples, and the versions it was tested with."""
    others = [
        path
        for folder in ("Models", "Samples")
        for path in (ROOT / "Resources" / folder).rglob("*")
        if path.is_file()
    ]
    return (
        package_files()
        | {f"DiffusionSegLib/{path.relative_to(ROOT).as_posix()}" for path in others}
        | {"DiffusionSegLib/Resources/constraints.txt"}
    )


def module_files() -> set[str]:
    """Every file of the Slicer module as it lies in the checkout, build instructions aside."""
    return {
        path.relative_to(MODULE).as_posix()
        for path in MODULE.rglob("*")
        if path.is_file() and path.name != "CMakeLists.txt" and path.suffix != ".pyc"
    }


def present_files(tree: Path) -> set[str]:
    return {path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file()}


@pytest.mark.parametrize("tree", ["build", "install"])
def test_the_result_is_the_engine_and_the_module_and_nothing_else(
    trees: dict[str, Path], tree: str
) -> None:
    present = present_files(trees[tree])
    present = {file for file in present if not file.endswith(".pyc")}  # the build tree is copied
    wanted = engine_files() | module_files()
    assert sorted(wanted - present) == [], "list these in DiffusionSeg/CMakeLists.txt"
    assert sorted(present - wanted) == []
    assert len(engine_files()) > len(list(PACKAGE.glob("*.py")))
    assert "DiffusionSeg.py" in module_files()


def test_the_module_s_files_are_listed_once_and_in_order() -> None:
    text = (MODULE / "CMakeLists.txt").read_text("utf-8")
    for name, first in (("SCRIPTS", "${MODULE_NAME}.py"), ("RESOURCES", "")):
        block = re.search(rf"set\(MODULE_PYTHON_{name}\n(.*?)\n  \)", text, re.DOTALL)
        assert block
        listed = [line.strip() for line in block[1].splitlines() if line.strip() != first]
        assert listed == sorted(set(listed))


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


def test_the_installed_module_opens_in_the_harness(trees: dict[str, Path], tmp_path: Path) -> None:
    """With the engine and the panel from the install tree, not from this checkout."""
    for name in ("slicer", "PySide6"):
        pytest.importorskip(name, reason="slicer-core and PySide6 are part of the test extra")
    code = (
        f"import sys; sys.path[:0] = [{str(trees['install'])!r}]; sys.path.append({str(ROOT)!r})\n"
        "from Testing.Harness.boot import boot, openModule\n"
        "from Testing.Harness.failures import failures\n"
        "from pathlib import Path\n"
        f"boot(Path({str(tmp_path)!r}))\n"
        f"module = openModule({str(trees['install'] / 'DiffusionSeg.py')!r})\n"
        "module.close()\n"
        "assert not failures.report(), failures.report()\n"
        "for name in ('DiffusionSegLib', 'DiffusionSegPanel', 'DiffusionSegBridge'):\n"
        "    print(sys.modules[name].__file__)\n"
    )
    found = run(sys.executable, "-I", "-c", code, cwd=tmp_path).split("\n")
    paths = [Path(line) for line in found if line.endswith("__init__.py")]
    assert len(paths) == 3
    assert all(path.is_relative_to(trees["install"]) for path in paths)


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
