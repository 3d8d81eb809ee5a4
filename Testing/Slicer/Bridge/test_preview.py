"""The preview shows what would be accepted, in place, and leaves nothing behind."""

from __future__ import annotations

from typing import Any

import numpy as np

from DiffusionSegBridge.labelmaps import labelmapVoxels
from DiffusionSegBridge.preview import ADDED_RGB, REMOVED_RGB, PreviewSegmentation
from DiffusionSegBridge.segments import readSegments
from DiffusionSegBridge.shown_result import ShownResult
from DiffusionSegBridge.volumes import worldGeometry
from DiffusionSegLib.nouns.proposal import Proposal
from Testing.Slicer.Bridge.results import ball, candidateOf, maskOf, proposal, volume

TURN = 0.5


def _shown(node: Any, ids: dict[int, str], volumeNode: Any) -> np.ndarray:
    return readSegments(node, ids, worldGeometry(volumeNode)).array


def _voxels(preview: PreviewSegmentation) -> np.ndarray:
    segment = preview.node.GetSegmentation().GetNthSegment(0)
    return labelmapVoxels(segment.GetRepresentation("Binary labelmap"))


def test_labels_at_every_threshold_in_the_same_memory(scene: Any) -> None:
    node = volume(scene)
    array = np.stack([ball(center=(3, 4, 5)), ball(center=(6, 10, 12), radius=0.5)]) / 2
    result = ShownResult(proposal(node, array), node)
    preview = PreviewSegmentation(node, scene)
    preview.show(result, 0.5)
    voxels = _voxels(preview)
    told = []
    import slicer

    preview.node.AddObserver(
        slicer.vtkSegmentation.RepresentationModified, lambda *_: told.append(1)
    )
    for threshold in (0.5, 0.2, 0.8):
        preview.show(result, threshold)
        np.testing.assert_array_equal(voxels, result.mask(threshold))
        found = _shown(preview.node, {1: "1", 2: "2"}, node)
        np.testing.assert_array_equal(found, result.mask(threshold))
    assert len(told) == 3
    segmentation = preview.node.GetSegmentation()
    assert [segmentation.GetNthSegment(n).GetName() for n in range(2)] == ["tumor", "edema"]


def test_kept_added_and_removed(scene: Any) -> None:
    node = volume(scene)
    geometry = worldGeometry(node)
    before = maskOf(ball(center=(5, 9, 10)) > 0.4, geometry)
    result = ShownResult(proposal(node), node)
    preview = PreviewSegmentation(node, scene)
    for threshold in (0.5, 0.1, 0.9):
        preview.show(result, threshold, before)
        new, old = result.mask(threshold) > 0, before.array > 0
        expected = 1 * (new & ~old) + 2 * (old & ~new) + 3 * (new & old)
        np.testing.assert_array_equal(_voxels(preview), expected)
    segmentation = preview.node.GetSegmentation()
    names = {segmentation.GetSegment(key).GetName(): key for key in ("1", "2", "3")}
    assert list(names) == ["added", "removed", "kept"]
    np.testing.assert_allclose(segmentation.GetSegment(names["added"]).GetColor(), ADDED_RGB)
    np.testing.assert_allclose(segmentation.GetSegment(names["removed"]).GetColor(), REMOVED_RGB)
    display = preview.node.GetDisplayNode()
    assert display.GetSegmentOpacity2DFill(names["kept"]) == 0.0
    assert display.GetSegmentOpacity2DFill(names["added"]) > 0.0


def test_a_voxel_that_changes_its_label_is_added(scene: Any) -> None:
    node = volume(scene)
    array = np.stack([ball(center=(3, 4, 5)), ball(center=(6, 10, 12), radius=0.5)]) / 2
    result = ShownResult(proposal(node, array), node)
    before = maskOf(np.where(result.mask(0.3) > 0, 2, 0), worldGeometry(node))
    preview = PreviewSegmentation(node, scene)
    for threshold in (0.3, 0.6):
        preview.show(result, threshold, before)
        new, old = result.mask(threshold), before.array
        expected = np.where(new == 0, 2 * (old > 0), np.where(new == old, 3, 1))
        np.testing.assert_array_equal(_voxels(preview), expected)


def test_from_changes_to_labels_and_to_another_candidate_nothing_stays(scene: Any) -> None:
    node = volume(scene)
    geometry = worldGeometry(node)
    before = maskOf(np.ones(geometry.shape_kji), geometry)
    other = np.zeros(geometry.shape_kji, np.uint8)
    other[0, 0, 0] = 1
    result = ShownResult(proposal(node, alternatives=(candidateOf(other, geometry),)), node)
    preview = PreviewSegmentation(node, scene)
    preview.show(result, 0.5, before)
    preview.show(result, 0.5)
    np.testing.assert_array_equal(_voxels(preview), result.mask(0.5))
    result.candidate = 1
    preview.show(result, 0.5)
    np.testing.assert_array_equal(_voxels(preview), other)
    preview.show(result, 0.5, before)
    assert (_voxels(preview) == 2).sum() == other.size - 1


def test_it_lies_on_the_volume_wherever_that_is(scene: Any) -> None:
    import slicer
    import vtk

    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(TURN), -np.sin(TURN)], [np.sin(TURN), np.cos(TURN)]]
    node = volume(scene, turn @ np.diag([-0.7, 0.9, 2.5, 1.0]))
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(turn @ turn))
    result = ShownResult(proposal(node), node)
    preview = PreviewSegmentation(node, scene)
    preview.show(result, 0.5)
    np.testing.assert_array_equal(_shown(preview.node, {1: "1"}, node), result.mask(0.5))
    node.SetAndObserveTransformNodeID(transform.GetID())
    preview.show(result, 0.5)
    assert isinstance(transform, vtk.vtkObject)
    np.testing.assert_array_equal(_shown(preview.node, {1: "1"}, node), result.mask(0.5))


def test_never_saved_never_listed_and_nothing_left(scene: Any, tmp_path: Any) -> None:
    node = volume(scene)
    node.CreateDefaultDisplayNodes()
    # What the first segmentation of a scene brings with it stays.
    warm = PreviewSegmentation(node, scene)
    warm.show(ShownResult(proposal(node), node), 0.5)
    warm.remove()
    count = scene.GetNumberOfNodes()
    preview = PreviewSegmentation(node, scene)
    preview.show(ShownResult(proposal(node), node), 0.5)
    shown = preview.node
    assert shown.GetHideFromEditors() and not shown.GetSaveWithScene()
    assert not shown.GetDisplayNode().GetSaveWithScene()
    assert not shown.GetDisplayNode().GetVisibility3D()
    scene.SetURL(str(tmp_path / "scene.mrml"))
    scene.Commit()
    text = (tmp_path / "scene.mrml").read_text()
    assert "CT" in text and "preview" not in text
    preview.remove()
    preview.remove()
    assert preview.node is None and scene.GetNumberOfNodes() == count


def test_after_the_scene_was_closed(scene: Any) -> None:
    node = volume(scene)
    preview = PreviewSegmentation(node, scene)
    preview.show(ShownResult(proposal(node), node), 0.5)
    scene.Clear(0)
    assert preview.node is None
    preview.remove()


def test_an_estimate_lies_on_its_own_coarse_grid(scene: Any) -> None:
    """While a run is under way: no resampling to the image's grid."""
    import slicer

    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(TURN), -np.sin(TURN)], [np.sin(TURN), np.cos(TURN)]]
    node = volume(scene)
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(turn))
    node.SetAndObserveTransformNodeID(transform.GetID())
    coarse = worldGeometry(node).with_shape((5, 7, 8))
    whole = proposal(node, ball((5, 7, 8))[np.newaxis])
    estimate = Proposal(whole.evidence, whole.labels, whole.verdict, whole.provenance)
    result = ShownResult(estimate, node)
    preview = PreviewSegmentation(node, scene)
    preview.show(result, 0.5)
    found = readSegments(preview.node, {1: "1"}, coarse).array
    np.testing.assert_array_equal(found, estimate.mask(0.5).array)
    later = ShownResult(whole, node)
    preview.show(later, 0.5)
    np.testing.assert_array_equal(_shown(preview.node, {1: "1"}, node), later.mask(0.5))


def test_hidden_for_a_while(scene: Any) -> None:
    node = volume(scene)
    preview = PreviewSegmentation(node, scene)
    preview.setVisible(False)
    preview.show(ShownResult(proposal(node), node), 0.5)
    preview.setVisible(False)
    assert not preview.node.GetDisplayVisibility()
    preview.setVisible(True)
    assert preview.node.GetDisplayVisibility()


def test_shown_again_after_its_node_was_removed(scene: Any) -> None:
    node = volume(scene)
    preview = PreviewSegmentation(node, scene)
    result = ShownResult(proposal(node), node)
    preview.show(result, 0.5)
    scene.RemoveNode(preview.node)
    preview.show(result, 0.4)
    np.testing.assert_array_equal(_shown(preview.node, {1: "1"}, node), result.mask(0.4))
