"""A test with the fixture `scene` fails for what Slicer only prints."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from Testing.Harness.requirements import missing

ROOT = Path(__file__).resolve().parents[3]
INNER = """
import threading


def test_slot(scene):
    import qt
    button = qt.QPushButton("x")
    button.connect("clicked()", lambda: 1 / 0)
    button.click()


def test_observer(scene):
    scene.AddObserver("ModifiedEvent", lambda *_: [][0])
    scene.Modified()


def test_vtk(scene):
    import vtk
    vtk.vtkXMLImageDataReader().Update()


def test_thread(scene):
    thread = threading.Thread(target=lambda: {}["missing"])
    thread.start()
    thread.join()


def test_nothing(scene):
    import slicer
    assert slicer.mrmlScene is scene
"""


def test_slots_observers_threads_and_vtk_errors_fail_a_test(tmp_path: Path) -> None:
    if reason := missing():
        pytest.skip(reason)
    (tmp_path / "test_inner.py").write_text(INNER, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "Testing.Slicer.conftest"]
    command += ["-p", "no:cacheprovider", "-p", "no:threadexception", "-rA"]
    done = subprocess.run(
        [*command, f"--rootdir={tmp_path}", f"--confcutdir={tmp_path}", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("ERROR ")]
    failed = {line.partition("::")[2].partition(" ")[0] for line in lines}
    assert failed == {"test_slot", "test_observer", "test_vtk", "test_thread"}, done.stdout
    assert "5 passed, 4 errors" in done.stdout
