"""Where no Python fits, uv fetches one; a stand-in for uv does here what the real one does."""

import os
import sys

import pytest

from DiffusionSegLib.environments import interpreters, plans
from DiffusionSegLib.environments.building import build, plan_environment, remove
from DiffusionSegLib.environments.isolated import IsolatedEnvironment
from DiffusionSegLib.environments.managed_python import fetch_python
from DiffusionSegLib.errors import InputError
from DiffusionSegLib.progress import Progress
from Testing.Library.environments.toy_wheels import base_python, write_wheel, write_wheels

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the stand-in for uv is a shell script")
HERE = sys.version_info[:2]
NAME = ".".join(map(str, HERE))
FETCHES = f"""#!/bin/sh
test "$1 $2 $3" = "python install {NAME}" || exit 3
test -z "$PYTHONPATH$PYTHONHOME" || exit 4
place="$UV_PYTHON_INSTALL_DIR/cpython-{NAME}.9-linux-x86_64-gnu/bin"
mkdir -p "$place" "$UV_CACHE_DIR" && ln -s "{base_python()}" "$place/python3"
"""
FAILS = """#!/bin/sh
echo "error: Failed to install cpython-3.12.9-linux-x86_64-gnu" >&2
echo "  Caused by: Failed to download https://github.com/astral-sh/x.tar.gz" >&2
echo "  Caused by: dns error: failed to lookup address information" >&2
exit 1
"""


@pytest.fixture
def index(tmp_path, monkeypatch):
    """All that pip gets: the toys, and a uv that does what the script says."""
    for name in list(os.environ):
        if name.startswith("PIP_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    folder = write_wheels(tmp_path / "index")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setattr(interpreters, "candidates", lambda: [tmp_path / "no python"])
    monkeypatch.setattr(plans, "FETCHED", HERE)

    def make(script):
        write_wheel(folder, "uv", "9.9", {"uv-9.9.data/scripts/uv": script, "uv/__init__.py": ""})

    return make


def test_the_plan_says_where_it_comes_from_and_why(index, tmp_path):
    environment = IsolatedEnvironment(tmp_path / "env")
    plan = plan_environment(environment)
    assert plan.interpreter is None and plan.python_version == NAME
    assert "github.com by uv" in plan.words[1] and str(environment.tools) in plan.words[1]
    assert "no python: it does not start" in plan.words[1]


@pytest.mark.slow
def test_an_environment_is_made_from_it_and_both_go_together(index, tmp_path):
    index(FETCHES)
    environment = IsolatedEnvironment(tmp_path / "env")
    build(environment, plan_environment(environment), Progress.silent())
    assert environment.state == "ready"
    assert environment.tools.is_dir() and "uv" not in environment.marker.packages
    size = environment.size_bytes()
    assert remove(environment) == pytest.approx(size, abs=20)
    assert not environment.folder.exists() and not environment.tools.exists()


def test_uv_does_not_go_into_this_python_and_what_is_there_is_used_again(index, tmp_path):
    index(FETCHES)
    environment = IsolatedEnvironment(tmp_path / "env")
    found = fetch_python(environment, HERE, Progress.silent())
    assert found.minor == HERE and found.reason == ""
    uv = environment.tools / "uv" / "bin" / "uv"
    assert uv.is_file()
    uv.unlink()
    assert fetch_python(environment, HERE, Progress.silent()) == found


def test_a_fetch_that_fails_says_why_and_what_to_do(index, tmp_path):
    index(FAILS)
    environment = IsolatedEnvironment(tmp_path / "env")
    with pytest.raises(InputError, match=r"\(dns error: failed to lookup.*python\.org/downloads"):
        build(environment, plan_environment(environment), Progress.silent())
    assert environment.state == "incomplete"
    remove(environment)
    assert not environment.tools.exists()


def test_a_uv_that_cannot_be_had_is_a_sentence(index, tmp_path):
    with pytest.raises(InputError, match="uv, which fetches a Python"):
        fetch_python(IsolatedEnvironment(tmp_path / "env"), HERE, Progress.silent())


def test_folders_of_tools_that_are_not_ours_stay(index, tmp_path):
    environment = IsolatedEnvironment(tmp_path / "env")
    environment.tools.mkdir()
    (environment.tools / "hammer").write_text("mine")
    assert remove(environment) == 0
    assert (environment.tools / "hammer").exists()
