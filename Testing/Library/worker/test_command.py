import os
import sys
from pathlib import Path

import pytest

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.worker import command as module
from DiffusionSegLib.worker.command import default_command, foreign_environment, parse_command
from Testing.Project.source import ROOT

WORKER = ("-m", "DiffusionSegLib.cli.main", "worker")


def test_the_default_is_this_python():
    assert default_command() == (sys.executable, *WORKER)


@pytest.mark.parametrize("place", ["beside", "bin"])
def test_in_slicer_it_is_pythonslicer(monkeypatch, tmp_path, place):
    slicer = tmp_path / ("bin" if place == "beside" else "") / "SlicerApp-real"
    python = tmp_path / "bin" / "PythonSlicer"
    python.parent.mkdir()
    python.touch()
    monkeypatch.setattr(sys, "executable", str(slicer))
    assert default_command() == (str(python), *WORKER)
    monkeypatch.setattr(sys, "executable", str(python))
    assert default_command() == (str(python), *WORKER)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ssh host diffusionseg worker", ("ssh", "host", "diffusionseg", "worker")),
        ("  ssh  -p 22 'my host' x ", ("ssh", "-p", "22", "my host", "x")),
        ('"/opt/my env/bin/python" -m x', ("/opt/my env/bin/python", "-m", "x")),
        ("/opt/env/bin/python3.12", ("/opt/env/bin/python3.12", *WORKER)),
        ("PythonSlicer", ("PythonSlicer", *WORKER)),
        ("/opt/env/bin/diffusionseg", ("/opt/env/bin/diffusionseg",)),
        ("a\\ b", ("a b",)),
    ],
)
def test_command_lines(text, words):
    assert parse_command(text, windows=False) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            r'"C:\Program Files\env\python.exe" -m x',
            (r"C:\Program Files\env\python.exe", "-m", "x"),
        ),
        (r"C:\env\python.exe", (r"C:\env\python.exe", *WORKER)),
        (r"C:\env\Scripts\diffusionseg.exe worker", (r"C:\env\Scripts\diffusionseg.exe", "worker")),
        (r"ssh 'a b' diffusionseg worker", ("ssh", "a b", "diffusionseg", "worker")),
    ],
)
def test_command_lines_of_windows_keep_their_backslashes(text, words):
    assert parse_command(text, windows=True) == words


def test_a_path_with_spaces_as_a_file_dialog_gives_it(tmp_path):
    python = tmp_path / "my env" / "python3"
    python.parent.mkdir()
    python.touch()
    assert parse_command(f" {python} ") == (str(python), *WORKER)


def test_a_home_folder_is_found():
    assert parse_command("~/env/bin/python")[0] == str(Path.home() / "env/bin/python")


@pytest.mark.parametrize("text", ["", "  "])
def test_nothing_is_an_error(text):
    with pytest.raises(InputError, match="is empty"):
        parse_command(text)


@pytest.mark.parametrize("windows", [False, True])
def test_an_open_quote_is_an_error(windows):
    with pytest.raises(InputError, match="close every quotation mark"):
        parse_command('"/opt/python', windows=windows)


SLICER = {
    "PYTHONHOME": "/slicer/lib/Python",
    "PYTHONPATH": "/slicer/bin/Python",
    "LD_LIBRARY_PATH": "/slicer/lib",
    "DYLD_LIBRARY_PATH": "/slicer/lib",
    "SLICER_HOME": "/slicer",
    "Slicer_SOMETHING": "1",
    "QT_PLUGIN_PATH": "/slicer/lib/QtPlugins",
    "QTWEBENGINE_DISABLE_SANDBOX": "1",
    "VIRTUAL_ENV": "/somewhere",
    "PATH": os.pathsep.join(["/slicer/bin", "/slicer/lib/x", "/usr/bin", "/slicerlike/bin"]),
    "HOME": "/home/me",
    "CUDA_VISIBLE_DEVICES": "1",
    "OMP_NUM_THREADS": "4",
    "SSH_AUTH_SOCK": "/tmp/agent",
}


def test_another_python_gets_nothing_of_slicers():
    found = foreign_environment(("/opt/env/bin/python",), SLICER)
    assert found == {
        "PATH": os.pathsep.join(["/usr/bin", "/slicerlike/bin"]),
        "HOME": "/home/me",
        "CUDA_VISIBLE_DEVICES": "1",
        "OMP_NUM_THREADS": "4",
        "SSH_AUTH_SOCK": "/tmp/agent",
    }


def test_this_python_keeps_everything_and_finds_the_package():
    found = foreign_environment((sys.executable, "-m", "x"), SLICER)
    assert found["PYTHONPATH"] == os.pathsep.join([str(ROOT), "/slicer/bin/Python"])
    assert {**found, **SLICER} == {**SLICER, "PYTHONSAFEPATH": "1"}
    assert foreign_environment(default_command(), {})["PYTHONPATH"] == str(ROOT)


def test_without_an_environment_it_is_that_of_this_process(monkeypatch):
    monkeypatch.setenv("DIFFUSIONSEG_TEST", "yes")
    assert foreign_environment(("ssh", "host"))["DIFFUSIONSEG_TEST"] == "yes"
    assert "DIFFUSIONSEG_TEST" not in foreign_environment(("ssh", "host"), {})
    assert module.foreign_environment((), {"A": "b"}) == {"A": "b"}
