"""A result becomes segments: one undo step, exact, without harm to what was there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from DiffusionSegBridge.accept import LABEL_TAG, Rules, Target, acceptResult
from DiffusionSegBridge.editor_port import LogicEditor
from DiffusionSegBridge.new_segment import createSegmentationFor
from DiffusionSegBridge.segments import readSegments, segmentOf, writeSegment
from DiffusionSegBridge.shown_result import ShownResult
from DiffusionSegBridge.volumes import volumeFromImage, worldGeometry
from DiffusionSegLib.errors import InputError
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.provenance import Provenance
from DiffusionSegLib.nouns.verdict import Verdict
from Testing.Slicer.Bridge.results import ball, maskOf, proposal, volume


@pytest.fixture
def node(scene: Any) -> Any:
    return volume(scene)


@pytest.fixture
def editor(scene: Any) -> LogicEditor:
    return LogicEditor(scene)


def _voxels(segmentation: Any, segmentId: str, node: Any) -> np.ndarray:
    return readSegments(segmentation, {1: segmentId}, worldGeometry(node)).array > 0


def _two(node: Any) -> np.ndarray:
    """Probabilities of two labels that touch."""
    return np.stack([ball(center=(3, 5, 6)), ball(center=(6, 10, 12), radius=0.6)]) / 2


def _withSegments(node: Any, *masks: np.ndarray) -> tuple[Any, list[str]]:
    segmentation = createSegmentationFor(node, "Mine")
    ids = []
    for mask in masks:
        ids.append(segmentation.GetSegmentation().AddEmptySegment())
        writeSegment(mask, worldGeometry(node), segmentation, ids[-1])
    return segmentation, ids


def test_a_new_segmentation_with_one_segment_per_label(node: Any, editor: LogicEditor) -> None:
    result = ShownResult(proposal(node, _two(node)), node)
    accepted = acceptResult(result, 0.3, Target(), editor)
    assert list(accepted.segmentIds) == [1, 2]
    names = [
        segmentOf(accepted.segmentationNode, key).GetName() for key in accepted.segmentIds.values()
    ]
    assert names == ["CT tumor", "CT edema"]
    for value, key in accepted.segmentIds.items():
        found = _voxels(accepted.segmentationNode, key, node)
        np.testing.assert_array_equal(found, result.mask(0.3) == value)
    np.testing.assert_array_equal(accepted.mask.array, result.mask(0.3))
    assert accepted.words.startswith("Accepted: CT tumor (") and accepted.words.endswith("ml).")


def test_where_it_came_from_is_on_the_segment(node: Any, editor: LogicEditor) -> None:
    import vtk

    result = ShownResult(proposal(node, _two(node)), node)
    accepted = acceptResult(result, 0.3, Target(), editor)
    segment = segmentOf(accepted.segmentationNode, accepted.segmentIds[2])
    tags = {}
    for key in ("method", "model", "seed", "created"):
        value = vtk.reference("")
        assert segment.GetTag(f"DiffusionSeg.{key}", value)
        tags[f"DiffusionSeg.{key}"] = str(value)
    assert Provenance.from_tags(tags).seed == 7
    value = vtk.reference("")
    assert segment.GetTag(LABEL_TAG, value) and str(value) == "2"


def test_a_label_without_a_voxel_gets_no_segment(node: Any, editor: LogicEditor) -> None:
    array = _two(node)
    array[1] = 0
    accepted = acceptResult(ShownResult(proposal(node, array), node), 0.3, Target(), editor)
    assert list(accepted.segmentIds) == [1]
    assert accepted.segmentationNode.GetSegmentation().GetNumberOfSegments() == 1


def test_the_typed_name_is_the_segments(node: Any, editor: LogicEditor) -> None:
    result = ShownResult(proposal(node, text="spleenoid"), node)
    accepted = acceptResult(result, 0.5, Target(), editor)
    segment = segmentOf(accepted.segmentationNode, accepted.segmentIds[1])
    assert segment.GetName() == "CT spleenoid"


def test_not_found_and_empty_make_nothing_and_say_so(node: Any, editor: LogicEditor) -> None:
    scene = node.GetScene()
    before = scene.GetNumberOfNodes()
    absent = ShownResult(proposal(node, state=Verdict.NOT_FOUND), node)
    accepted = acceptResult(absent, 0.5, Target(), editor)
    assert accepted.segmentationNode is None and not accepted.segmentIds
    assert accepted.words == "Not found, so no segment was made: It says so."
    empty = ShownResult(proposal(node, 0.3 * ball()[np.newaxis]), node)
    accepted = acceptResult(empty, 0.5, Target(), editor)
    assert "empty at a threshold of 0.50" in accepted.words and accepted.mask is None
    assert scene.GetNumberOfNodes() == before


def test_nothing_never_clears_a_segment(node: Any, editor: LogicEditor) -> None:
    mask = ball() > 0.5
    segmentation, (key,) = _withSegments(node, mask)
    absent = ShownResult(proposal(node, state=Verdict.NOT_FOUND), node)
    acceptResult(absent, 0.5, Target(segmentation, {1: key}), editor)
    np.testing.assert_array_equal(_voxels(segmentation, key, node), mask)


def test_an_uncertain_result_says_so(node: Any, editor: LogicEditor) -> None:
    result = ShownResult(proposal(node, state=Verdict.UNCERTAIN), node)
    assert (
        "Uncertain, please check: It says so." in acceptResult(result, 0.5, Target(), editor).words
    )


def test_one_undo_removes_all_new_segments_and_redo_brings_them_back(
    node: Any, editor: LogicEditor
) -> None:
    mine = ball(center=(3, 5, 6)) > 0.5
    segmentation, (key,) = _withSegments(node, mine)
    result = ShownResult(proposal(node, _two(node)), node)
    accepted = acceptResult(result, 0.3, Target(segmentation), editor)
    assert segmentation.GetSegmentation().GetNumberOfSegments() == 3
    editor.undo()
    assert segmentation.GetSegmentation().GetNumberOfSegments() == 1
    np.testing.assert_array_equal(_voxels(segmentation, key, node), mine)
    editor.redo()
    for value, other in accepted.segmentIds.items():
        found = _voxels(segmentation, other, node)
        np.testing.assert_array_equal(found, result.mask(0.3) == value)
    editor.undo()
    editor.undo()
    np.testing.assert_array_equal(_voxels(segmentation, key, node), mine)


def test_replacing_is_one_step_back_too(node: Any, editor: LogicEditor) -> None:
    mine = ball(center=(6, 5, 6)) > 0.5
    segmentation, (key,) = _withSegments(node, mine)
    segmentOf(segmentation, key).SetTag("note", "by hand")
    result = ShownResult(proposal(node), node)
    acceptResult(result, 0.5, Target(segmentation, {1: key}), editor)
    np.testing.assert_array_equal(_voxels(segmentation, key, node), result.mask(0.5) > 0)
    assert segmentation.GetSegmentation().GetNumberOfSegments() == 1
    editor.undo()
    np.testing.assert_array_equal(_voxels(segmentation, key, node), mine)
    assert not segmentOf(segmentation, key).HasTag(LABEL_TAG)


@pytest.mark.parametrize("mode", ["none", "visible", "all"])
def test_other_segments_keep_their_voxels_unless_asked(
    node: Any, editor: LogicEditor, mode: str
) -> None:
    seen, hidden = ball(center=(4, 5, 6)) > 0.5, ball(center=(5, 9, 12)) > 0.5
    segmentation, (first, second) = _withSegments(node, seen, hidden)
    segmentation.GetDisplayNode().SetSegmentVisibility(second, False)
    result = ShownResult(proposal(node), node)
    new = result.mask(0.5) > 0
    assert (new & seen).any() and (new & hidden).any()
    accepted = acceptResult(result, 0.5, Target(segmentation), editor, Rules(mode))
    np.testing.assert_array_equal(_voxels(segmentation, accepted.segmentIds[1], node), new)
    expected = {"none": (seen, hidden), "visible": (seen & ~new, hidden)}
    expected["all"] = (seen & ~new, hidden & ~new)
    for key, mask in zip((first, second), expected[mode], strict=True):
        np.testing.assert_array_equal(_voxels(segmentation, key, node), mask)
    assert editor.editorNode().GetOverwriteMode() == editor.editorNode().OverwriteAllSegments


def test_the_editors_own_overwriting_and_an_unknown_one(node: Any, editor: LogicEditor) -> None:
    seen = ball(center=(4, 5, 6)) > 0.5
    segmentation, (key,) = _withSegments(node, seen)
    result = ShownResult(proposal(node), node)
    acceptResult(result, 0.5, Target(segmentation), editor, Rules("editor"))
    assert (_voxels(segmentation, key, node) != seen).any()
    with pytest.raises(InputError, match="'some'"):
        acceptResult(result, 0.5, Target(segmentation), editor, Rules("some"))


def test_intensity_mask_and_mask_segment_are_obeyed(node: Any, editor: LogicEditor) -> None:
    import slicer

    allowed = ball(center=(4, 9, 9)) > 0.4
    mine = ball(center=(5, 5, 6)) > 0.5
    segmentation, (area, key) = _withSegments(node, allowed, mine)
    settings = editor.editorNode()
    settings.SetSourceVolumeIntensityMask(True)
    settings.SetSourceVolumeIntensityMaskRange(300, 600)
    settings.SetMaskMode(slicer.vtkMRMLSegmentationNode.EditAllowedInsideSingleSegment)
    settings.SetMaskSegmentID(area)
    values = slicer.util.arrayFromVolume(node)
    free = allowed & (values >= 300) & (values <= 600)
    result = ShownResult(proposal(node), node)
    new = result.mask(0.5) > 0
    accepted = acceptResult(result, 0.5, Target(segmentation, {1: key}), editor)
    expected = np.where(free, new, mine)
    assert (expected != new).any() and (expected != mine).any()
    np.testing.assert_array_equal(_voxels(segmentation, key, node), expected)
    np.testing.assert_array_equal(_voxels(segmentation, area, node), allowed)
    np.testing.assert_array_equal(accepted.mask.array > 0, expected)
    assert accepted.words.endswith("mask protects some voxels; they stayed as they were.")


def test_a_refinement_keeps_what_was_drawn_while_it_ran(node: Any, editor: LogicEditor) -> None:
    """Only the difference to the mask that was sent is changed."""
    geometry = worldGeometry(node)
    sent = ball(center=(5, 6, 8)) > 0.5
    segmentation, (key,) = _withSegments(node, sent)
    later = sent.copy()
    later[0:2, 0:2, 0:2] = True
    kept = (ball() > 0.5) & sent
    later[tuple(np.argwhere(kept)[0])] = False
    writeSegment(later, geometry, segmentation, key)
    result = ShownResult(proposal(node), node)
    new = result.mask(0.5) > 0
    rules = Rules(before=maskOf(sent, geometry))
    acceptResult(result, 0.5, Target(segmentation, {1: key}), editor, rules)
    expected = np.where(new == sent, later, new)
    np.testing.assert_array_equal(_voxels(segmentation, key, node), expected)
    assert (expected != new).any()


def test_a_refinement_of_one_label_leaves_the_others_out(node: Any, editor: LogicEditor) -> None:
    sent = ball(center=(3, 5, 6)) > 0.5
    segmentation, (key,) = _withSegments(node, sent)
    result = ShownResult(proposal(node, _two(node)), node)
    rules = Rules(before=maskOf(2 * sent, worldGeometry(node)))
    accepted = acceptResult(result, 0.3, Target(segmentation, {2: key}), editor, rules)
    assert dict(accepted.segmentIds) == {2: key}
    np.testing.assert_array_equal(_voxels(segmentation, key, node), result.mask(0.3) == 2)
    assert segmentation.GetSegmentation().GetNumberOfSegments() == 1
    segmentation.GetSegmentation().RemoveSegment(key)
    accepted = acceptResult(result, 0.3, Target(segmentation, {2: key}), editor, rules)
    assert accepted.words == "The refined segments were deleted meanwhile."
    node.GetScene().RemoveNode(segmentation)
    with pytest.raises(InputError, match="was deleted meanwhile"):
        acceptResult(result, 0.3, Target(segmentation, {2: key}), editor, rules)


def test_two_labels_that_share_a_layer_change_places(node: Any, editor: LogicEditor) -> None:
    result = ShownResult(proposal(node, _two(node)), node)
    first = acceptResult(result, 0.3, Target(), editor)
    swapped = ShownResult(proposal(node, _two(node)[::-1].copy()), node)
    target = Target(first.segmentationNode, first.segmentIds)
    second = acceptResult(swapped, 0.3, target, editor)
    assert dict(second.segmentIds) == dict(first.segmentIds)
    for value, key in second.segmentIds.items():
        found = _voxels(second.segmentationNode, key, node)
        np.testing.assert_array_equal(found, swapped.mask(0.3) == value)


def test_a_chosen_segment_that_was_deleted_is_made_anew(node: Any, editor: LogicEditor) -> None:
    segmentation, (key,) = _withSegments(node, ball() > 0.5)
    segmentation.GetSegmentation().RemoveSegment(key)
    result = ShownResult(proposal(node), node)
    accepted = acceptResult(result, 0.5, Target(segmentation, {1: key}), editor)
    assert segmentation.GetSegmentation().GetNumberOfSegments() == 1
    assert accepted.mask.array.any()


def test_the_volume_is_gone_or_another(node: Any, editor: LogicEditor) -> None:
    import slicer

    result = ShownResult(proposal(node), node)
    slicer.util.updateVolumeFromArray(node, np.zeros((3, 4, 5), np.int16))
    with pytest.raises(InputError, match="another size"):
        acceptResult(result, 0.5, Target(), editor)
    node.GetScene().RemoveNode(node)
    with pytest.raises(InputError, match="gone"):
        acceptResult(result, 0.5, Target(), editor)


def test_everywhere_at_once(scene: Any, editor: LogicEditor) -> None:
    """Oblique, left-handed, sheared, volume and segmentation under different transforms."""
    import slicer

    turn = np.eye(4)
    turn[:3, :3] = np.linalg.qr(np.array([[2.0, 1.0, 0.3], [-1.0, 2.0, 0.1], [0.2, 0.1, 1.0]]))[0]
    turn[:3, 3] = (11.0, -7.0, 30.0)
    node = volume(scene, turn @ np.diag([-0.7, 0.9, 2.5, 1.0]))
    segmentation = createSegmentationFor(node, "Mine")
    for moved, matrix in (
        (node, turn @ turn),
        (segmentation, np.diag([1.0, -1.0, 1.2, 1.0]) @ turn),
    ):
        transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
        transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
        moved.SetAndObserveTransformNodeID(transform.GetID())
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(node)
    result = ShownResult(proposal(node, _two(node)), node)
    accepted = acceptResult(result, 0.3, Target(segmentation), editor)
    np.testing.assert_array_equal(accepted.mask.array, result.mask(0.3))


def test_a_segmentation_on_a_finer_grid_keeps_its_grid(node: Any, editor: LogicEditor) -> None:
    """Voxels of the image become blocks of voxels of the segmentation."""
    geometry = worldGeometry(node)
    fine = geometry.with_shape(tuple(2 * count for count in geometry.shape_kji))
    detail = np.zeros(fine.shape_kji, np.uint8)
    detail[1, 1, 1] = 1
    segmentation = createSegmentationFor(node, "Mine")
    helper = volume(node.GetScene(), fine.ijk_to_ras, fine.shape_kji)
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(helper)
    key = segmentation.GetSegmentation().AddEmptySegment()
    writeSegment(detail, fine, segmentation, key)
    result = ShownResult(proposal(node), node)
    accepted = acceptResult(result, 0.5, Target(segmentation), editor)
    np.testing.assert_array_equal(accepted.mask.array, result.mask(0.5))
    new = readSegments(segmentation, {1: accepted.segmentIds[1]}, fine).array
    assert new.sum() == pytest.approx(8 * result.mask(0.5).sum(), rel=0.02)
    np.testing.assert_array_equal(readSegments(segmentation, {1: key}, fine).array, detail)


def test_a_photograph_under_an_intensity_mask(scene: Any, editor: LogicEditor) -> None:
    """One slice of three components; the mask looks at the first, as Slicer does."""
    import slicer

    red = np.arange(20 * 30, dtype=np.uint8).reshape(1, 20, 30)
    array = np.stack([red, red // 2, red // 3])
    names = ("red", "green", "blue")
    node = volumeFromImage(Image(array, Geometry((1, 20, 30)), names), "Photo", scene)
    settings = editor.editorNode()
    settings.SetSourceVolumeIntensityMask(True)
    settings.SetSourceVolumeIntensityMaskRange(50, 200)
    result = ShownResult(proposal(node, ball((1, 20, 30), (0, 10, 15))[np.newaxis]), node)
    accepted = acceptResult(result, 0.2, Target(), editor)
    expected = (result.mask(0.2) > 0) & (red >= 50) & (red <= 200)
    np.testing.assert_array_equal(accepted.mask.array > 0, expected)
    assert expected.any()
    assert isinstance(node, slicer.vtkMRMLVectorVolumeNode)
