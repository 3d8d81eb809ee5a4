"""Two views side by side, and everything as it was afterwards."""

from __future__ import annotations

from typing import Any

import numpy as np

from DiffusionSegBridge.side_by_side import SideBySide
from Testing.Slicer.Bridge.results import volume


def _view(scene: Any, name: str, orientation: str) -> tuple[Any, Any]:
    import slicer

    logic = slicer.vtkMRMLSliceLogic()
    logic.SetMRMLScene(scene)
    node = logic.AddSliceNode(name)
    node.SetOrientation(orientation)
    node.logic = logic
    return node, logic.GetSliceCompositeNode()


def _place(node: Any) -> np.ndarray:
    import slicer

    return slicer.util.arrayFromVTKMatrix(node.GetSliceToRAS())


def test_shown_and_restored(scene: Any) -> None:
    import slicer

    image, other = volume(scene), volume(scene)
    left, left_layers = _view(scene, "Red", "Axial")
    right, right_layers = _view(scene, "Yellow", "Sagittal")
    layout = scene.AddNewNodeByClass("vtkMRMLLayoutNode")
    layout.SetViewArrangement(3)
    for layers in (left_layers, right_layers):
        layers.SetBackgroundVolumeID(image.GetID())
    left.JumpSlice(3.0, 4.0, 5.0)
    before = _place(right)
    beside = SideBySide(scene)
    assert not beside.isShown
    for _ in range(2):
        beside.show(other)
        assert layout.GetViewArrangement() == slicer.vtkMRMLLayoutNode.SlicerLayoutSideBySideView
        assert left_layers.GetBackgroundVolumeID() == image.GetID()
        assert right_layers.GetBackgroundVolumeID() == other.GetID()
        assert left_layers.GetLinkedControl() and right_layers.GetLinkedControl()
        np.testing.assert_allclose(_place(right), _place(left))
    beside.restore()
    beside.restore()
    assert layout.GetViewArrangement() == 3
    assert right_layers.GetBackgroundVolumeID() == image.GetID()
    assert not right_layers.GetLinkedControl()
    np.testing.assert_allclose(_place(right), before)
    assert right.GetOrientation() == "Sagittal"


def test_a_volume_that_went_meanwhile_does_not_come_back(scene: Any) -> None:
    image, other = volume(scene), volume(scene)
    _view(scene, "Red", "Axial")
    _node, layers = _view(scene, "Yellow", "Sagittal")
    layers.SetBackgroundVolumeID(image.GetID())
    beside = SideBySide(scene)
    beside.show(other)
    scene.RemoveNode(image)
    beside.restore()
    assert layers.GetBackgroundVolumeID() is None


def test_what_the_user_chose_meanwhile_stays(scene: Any) -> None:
    image, other, third = volume(scene), volume(scene), volume(scene)
    _view(scene, "Red", "Axial")
    _node, layers = _view(scene, "Yellow", "Sagittal")
    layers.SetBackgroundVolumeID(image.GetID())
    layout = scene.AddNewNodeByClass("vtkMRMLLayoutNode")
    layout.SetViewArrangement(3)
    beside = SideBySide(scene)
    beside.show(other)
    layout.SetViewArrangement(6)
    layers.SetBackgroundVolumeID(third.GetID())
    beside.restore()
    assert layout.GetViewArrangement() == 6
    assert layers.GetBackgroundVolumeID() == third.GetID()


def test_without_views_nothing_happens(scene: Any) -> None:
    beside = SideBySide(scene)
    beside.show(volume(scene))
    beside.restore()
