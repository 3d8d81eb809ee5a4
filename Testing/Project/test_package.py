"""The wheel holds what the checkout holds, and every dependency is pinned and has a reason."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import DiffusionSegLib
from Testing.Project.source import ROOT, package_files

PYPROJECT = (ROOT / "pyproject.toml").read_text("utf-8")
REQUIREMENT = re.compile(r'^    "(?P<name>[\w.-]+)(?P<range>[^"]*)",(?P<rest>.*)$', re.MULTILINE)
RUN_TIME = PYPROJECT.partition("dependencies = [")[2].partition("\n]")[0]
EXTRAS = PYPROJECT.partition("[project.optional-dependencies]")[2].partition("[project.scripts]")[0]


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned() -> set[str]:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pins = [line.partition("==") for line in lines if line and not line.startswith("#")]
    assert all(separator for _, separator, _ in pins)
    return {canonical(name) for name, _, _ in pins}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    pytest.importorskip("hatchling", reason="hatchling is part of the test extra")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built)


def test_every_dependency_is_pinned() -> None:
    wanted = {canonical(found["name"]) for found in REQUIREMENT.finditer(RUN_TIME + EXTRAS)}
    assert {"torch", "numpy", "pytest", "ruff"} <= wanted
    assert wanted - pinned() == set()


def test_every_run_time_dependency_has_a_reason() -> None:
    found = list(REQUIREMENT.finditer(RUN_TIME))
    assert len(found) >= 5
    assert [one["name"] for one in found if not one["rest"].strip().startswith("# ")] == []


def test_the_wheel_holds_the_package(wheel: zipfile.ZipFile) -> None:
    assert package_files() - set(wheel.namelist()) == set()


@pytest.mark.parametrize("folder", ["Models", "Samples"])
def test_the_wheel_holds_models_and_samples(wheel: zipfile.ZipFile, folder: str) -> None:
    files = [path for path in (ROOT / "Resources" / folder).rglob("*") if path.is_file()]
    wanted = {f"DiffusionSegLib/{path.relative_to(ROOT).as_posix()}" for path in files}
    assert wanted
    assert wanted - set(wheel.namelist()) == set()


def test_the_wheel_holds_the_versions_that_it_was_tested_with(wheel: zipfile.ZipFile) -> None:
    pinned = (ROOT / "constraints.txt").read_bytes()
    assert wheel.read("DiffusionSegLib/Resources/constraints.txt") == pinned


def test_the_wheel_carries_version_licence_and_command(wheel: zipfile.ZipFile) -> None:
    texts = {Path(name).name: name for name in wheel.namelist() if ".dist-info/" in name}
    metadata = wheel.read(texts["METADATA"]).decode()
    assert f"Version: {DiffusionSegLib.__version__}\n" in metadata
    assert "LICENSE.txt" in texts
    commands = wheel.read(texts["entry_points.txt"]).decode()
    assert "diffusionseg = DiffusionSegLib.cli.main:main" in commands
