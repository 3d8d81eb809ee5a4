"""Pythons are tried, and rejected with a reason."""

import os
import re
import stat
import sys
from pathlib import Path

import pytest

from DiffusionSegLib.environments import interpreters
from DiffusionSegLib.environments.interpreters import (
    NEWEST,
    OLDEST,
    VERSIONS,
    best_interpreter,
    candidates,
)
from Testing.Library.environments.toy_wheels import base_python

HERE = sys.version_info[:2]
posix = pytest.mark.skipif(os.name != "posix", reason="programs are shell scripts here")


def program(path, script):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def pretending(path, change):
    """This Python, but it tells something else when it is looked at."""
    code = f"import sys; {change}; exec(sys.argv[1])"
    return program(
        path,
        f'if [ "$2" = -c ]; then exec "{base_python()}" -I -c "{code}" "$3"; fi\n'
        f'exec "{base_python()}" "$@"',
    )


def test_this_python_can_carry_it_also_from_a_virtual_environment():
    found, rejected = best_interpreter([Path(sys.executable)])
    assert rejected == ()
    assert found.minor == HERE and found.reason == ""
    assert os.path.samefile(found.path, base_python())


@posix
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("sys.version_info = (3, 9, 18)", r"version 3\.9\.18, and one of 3\.10.*3\.14 is needed"),
        ("sys.version_info = (3, 15, 0)", "version 3.15.0"),
        ("import struct; struct.calcsize = lambda one: 4", "32 bit"),
        ("import platform; platform.python_implementation = lambda: 'PyPy'", "PyPy"),
        ("import sysconfig; sysconfig.get_config_var = lambda one: 1", "free-threaded"),
    ],
)
def test_what_does_not_fit_is_rejected(tmp_path, change, reason):
    found, rejected = best_interpreter([pretending(tmp_path / "python", change)])
    assert found is None
    (one,) = rejected
    assert re.search(reason, one.reason), one.reason


@posix
@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("exit 3", "it does not work"),
        ("echo oops >&2; exit 1", r"it does not work \(oops\)"),
        ("echo '[1, 2]'", "does not answer as a Python does"),
        ("echo Python 3.12", "it does not work"),
    ],
)
def test_what_is_no_python_is_rejected(tmp_path, script, reason):
    found, rejected = best_interpreter([program(tmp_path / "python3", script)])
    assert found is None
    assert re.search(reason, rejected[0].reason), rejected[0].reason


@posix
def test_one_that_hangs_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(interpreters, "_PATIENCE_S", 0.3)
    _, rejected = best_interpreter([program(tmp_path / "python3", "exec sleep 20")])
    assert "did not answer within" in rejected[0].reason


@posix
@pytest.mark.parametrize("module", ["ssl", "ensurepip", "venv"])
def test_a_python_without_its_parts_is_rejected(tmp_path, module):
    """As Debian's without python3-venv, or one that was built without OpenSSL."""
    block = f"import sys; sys.modules['{module}'] = None; import runpy; "
    block += "sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    broken = program(
        tmp_path / "python3",
        f'if [ "$2" = -c ]; then exec "{base_python()}" "$@"; fi; shift\n'
        f'exec "{base_python()}" -I -c "{block}" "$@"',
    )
    one = interpreters.try_interpreter(interpreters.Interpreter(broken, "3.12.1"))
    assert f"its module {module} does not work" in one.reason


def test_one_from_the_microsoft_store_is_not_even_started(tmp_path):
    place = tmp_path / "WindowsApps" / "python.exe"
    _, rejected = best_interpreter([place])
    assert "Microsoft Store" in rejected[0].reason


@posix
def test_the_best_version_wins_and_one_that_fails_late_is_told(tmp_path):
    """The first in the order cannot make an environment; the second can."""
    order = [(3, 12), HERE] if HERE != (3, 12) else [(3, 11), HERE]
    false = f"sys.version_info = ({order[0][0]}, {order[0][1]}, 4)"
    false += "; sys._base_executable = '/no/such/python'"
    first = pretending(tmp_path / "false", false)
    found, rejected = best_interpreter([Path(sys.executable), first], order)
    assert found.minor == HERE
    assert [one.version for one in rejected] == [f"{order[0][0]}.{order[0][1]}.4"]


def test_what_is_looked_for_lies_on_path_and_ends_with_this_python(tmp_path, monkeypatch):
    if os.name == "posix":
        program(tmp_path / "python3.11", "true")
        program(tmp_path / "shims" / "python3.12", "true")
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{tmp_path / 'shims'}")
        assert candidates()[0] == tmp_path / "python3.11"
        assert tmp_path / "shims" / "python3.12" not in candidates()
    assert candidates()[-1] == Path(sys.executable)


def test_pyenv_s_pythons_are_looked_at(tmp_path, monkeypatch):
    if os.name == "posix":
        place = program(tmp_path / "versions" / "3.12.9" / "bin" / "python3", "true")
        monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
        assert place in candidates()


def test_the_order_covers_the_range():
    assert sorted(VERSIONS)[0] == OLDEST and sorted(VERSIONS)[-1] == NEWEST


def test_it_can_be_stopped():
    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        best_interpreter([Path(sys.executable)], VERSIONS, stop)
