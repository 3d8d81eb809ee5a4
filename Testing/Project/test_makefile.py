"""The Makefile's targets exist, make .venv by themselves and say what is missing."""

import json
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from Testing.Project.source import ROOT

TARGETS = ("demo", "test", "lint", "bench", "clean", "help")

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def make(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--no-print-directory", *words]
    # What an outer `make test` was told would be taken over.
    told = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES", "PYTHON", "PIP_ARGS", "ARGS")
    environment = {name: value for name, value in os.environ.items() if name not in told}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder as a clone has it: no .venv, and a name with a space."""
    folder = tmp_path / "a clone"
    folder.mkdir()
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
    return folder


def program(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def fake_python(path: Path, pip_succeeds: bool = True) -> Path:
    """A python that writes down how it was called, and that makes a copy of itself as .venv."""
    return program(
        path,
        f"""echo "$@" >> calls.txt
case "$*" in
  "-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
  *"pip install"*) {"true" if pip_succeeds else "false"} ;;
esac""",
    )


def test_help_lists_every_target() -> None:
    told = make(ROOT, "help").stdout
    assert set(re.findall(r"^  make (\w+)", told, re.MULTILINE)) == set(TARGETS)


def test_help_is_what_make_alone_does() -> None:
    assert make(ROOT).stdout == make(ROOT, "help").stdout


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_can_be_planned(checkout: Path, target: str) -> None:
    assert make(checkout, "--dry-run", target).returncode == 0


@pytest.mark.parametrize("target", ["demo", "test", "lint", "bench"])
def test_it_makes_the_environment_once(checkout: Path, target: str) -> None:
    fake_python(checkout / "python")
    for _ in range(2):
        done = make(checkout, target, "PYTHON=./python")
        assert done.returncode == 0, done.stderr
    calls = (checkout / "calls.txt").read_text().splitlines()
    assert calls.count("-m venv .venv") == 1
    assert sum("pip install" in call for call in calls) == 1
    assert all("-c constraints.txt -e ." in call for call in calls if "pip install" in call)


def test_it_installs_again_when_the_requirements_change(checkout: Path) -> None:
    fake_python(checkout / "python")
    make(checkout, "lint", "PYTHON=./python")
    stamp = checkout / ".venv" / ".installed-lint"
    newer = stamp.stat().st_mtime + 5
    os.utime(checkout / "constraints.txt", (newer, newer))
    make(checkout, "lint", "PYTHON=./python")
    calls = (checkout / "calls.txt").read_text()
    assert calls.count("pip install") == 2
    assert calls.count("-m venv .venv") == 1


def test_an_interrupted_installation_is_taken_up_again(checkout: Path) -> None:
    fake_python(checkout / "python", pip_succeeds=False)
    assert make(checkout, "lint", "PYTHON=./python").returncode != 0
    fake_python(checkout / ".venv" / "bin" / "python")
    assert make(checkout, "lint", "PYTHON=./python").returncode == 0
    assert (checkout / ".venv" / ".installed-lint").exists()


def test_it_reuses_an_environment_made_by_hand(checkout: Path) -> None:
    (checkout / ".venv" / "bin").mkdir(parents=True)
    fake_python(checkout / ".venv" / "bin" / "python")
    assert make(checkout, "lint", "PYTHON=./no-such-python").returncode == 0


def test_a_missing_python_is_named(checkout: Path) -> None:
    done = make(checkout, "test", "PYTHON=no-such-python")
    assert done.returncode != 0
    assert "no-such-python" in done.stdout
    assert "3.10 or newer" in done.stdout


def test_an_old_python_is_named_with_its_version(checkout: Path) -> None:
    program(checkout / "old", 'case "$1" in -V) echo "Python 3.9.1" ;; *) exit 1 ;; esac')
    done = make(checkout, "test", "PYTHON=./old")
    assert done.returncode != 0
    assert "Python 3.9.1" in done.stdout


def test_a_python_without_venv_is_told_what_to_install(checkout: Path) -> None:
    program(checkout / "bare", 'case "$*" in *ensurepip*) exit 1 ;; esac')
    done = make(checkout, "test", "PYTHON=./bare")
    assert done.returncode != 0
    assert "python3-venv" in done.stdout


def test_pip_gets_further_arguments(checkout: Path) -> None:
    fake_python(checkout / "python")
    make(checkout, "lint", "PYTHON=./python", "PIP_ARGS=--no-index")
    assert "--quiet --no-index -c" in (checkout / "calls.txt").read_text()


def test_the_benchmark_covers_every_sample_with_its_model() -> None:
    samples = json.loads((ROOT / "Resources" / "Samples" / "samples.json").read_text("utf-8"))
    wanted = {
        f"{one['images'][0].split('/')[0]}={one['model'].removeprefix('cdal/')}" for one in samples
    }
    listed = re.search(r"^BENCH := (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert listed
    assert set(listed[1].split()) == wanted


def test_continuous_integration_runs_the_same_command() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & stat.S_IXUSR
    text = script.read_text("utf-8")
    assert text.startswith("#!/usr/bin/env bash\n")
    assert "set -euo pipefail" in text
    assert text.splitlines()[-1] == "make test"
