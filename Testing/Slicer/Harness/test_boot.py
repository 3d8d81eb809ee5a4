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
    assert qt.QComboBox().sizeHint.height() > 5  # a getter that the derived class overrides
    with pytest.raises(TypeError):
        label.text()
    with pytest.raises(AttributeError):
        label.tekst = "c"
    with pytest.raises(AttributeError, match="setPlaceholderText"):
        qt.QComboBox().setPlaceholderText("only a property in PythonQt")
    with pytest.raises(ValueError, match="no signal"):
        label.connect("clicked()", print)


def test_a_slot_gets_as_many_arguments_as_it_takes(scene: Any) -> None:
    import qt

    got: list[Any] = []
    button = qt.QPushButton("x")
    button.setCheckable(True)

    class Receiver:
        def none(self) -> None:
            got.append("none")

        def one(self, checked: bool) -> None:
            got.append(checked)

        def any(self, *values: Any) -> None:
            got.append(values)

    receiver = Receiver()
    for slot in (receiver.none, receiver.one, receiver.any):
        button.connect("clicked(bool)", slot)
    button.click()
    assert got == ["none", True, (True,)]
    assert button.disconnect("clicked(bool)", receiver.one)
    assert not button.disconnect("clicked(bool)", receiver.one)
    got.clear()
    button.click()
    assert got == ["none", (False,)]


def test_overloads_are_told_apart_by_their_types(scene: Any) -> None:
    import qt
    import slicer

    got: list[Any] = []
    box = slicer.qMRMLNodeComboBox()
    box.nodeTypes = ["vtkMRMLTextNode"]
    box.noneEnabled = True
    box.setMRMLScene(scene)
    box.connect("currentNodeChanged(bool)", got.append)
    box.connect("currentNodeChanged(vtkMRMLNode*)", got.append)
    node = scene.AddNewNodeByClass("vtkMRMLTextNode")
    box.setCurrentNode(node)
    assert sorted(got, key=str) == sorted([True, node], key=str)
    spin = qt.QSpinBox()
    spin.connect("valueChanged(int)", got.append)
    spin.value = 3
    assert got[-1] == 3


def test_children_and_dynamic_properties_are_attributes(scene: Any) -> None:
    import qt

    parent = qt.QWidget()
    child = qt.QLabel("x", parent)
    child.objectName = "label"
    assert parent.label is child
    child.setProperty("SlicerParameterName", "threshold")
    assert child.SlicerParameterName == "threshold"
    with pytest.raises(AttributeError):
        _ = parent.other
