"""The harness starts, and shows what went wrong in callbacks."""

from __future__ import annotations

from typing import Any

import pytest


def test_a_scene_has_its_logics_and_the_terminology_some_entries(scene: Any) -> None:
    import slicer
    import vtk

    assert slicer.mrmlScene is scene
    names = vtk.vtkStringArray()
    slicer.modules.terminologies.logic().GetLoadedTerminologyNames(names)
    assert names.GetNumberOfValues() == 2


def test_slot_exceptions_observer_exceptions_and_vtk_errors_are_seen(scene: Any) -> None:
    import qt
    import vtk

    from Testing.Harness.failures import failures

    button = qt.QPushButton("x")
    button.connect("clicked()", lambda: 1 / 0)
    button.click()
    tag = scene.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: {}["missing"])
    scene.Modified()
    scene.RemoveObserver(tag)
    reader = vtk.vtkXMLImageDataReader()
    reader.SetFileName("/no such file")
    reader.Update()
    report = failures.report()
    failures.clear()
    for part in ("ZeroDivisionError", "KeyError", "/no such file"):
        assert part in report


def test_properties_are_attributes_as_in_pythonqt(scene: Any) -> None:
    import qt

    label = qt.QLabel("a")
    assert label.text == "a"
    label.text = "b"
    assert label.text == "b"
    with pytest.raises(TypeError):
        label.text()
    with pytest.raises(AttributeError):
        label.tekst = "c"
    with pytest.raises(ValueError, match="no signal"):
        label.connect("clicked()", print)
