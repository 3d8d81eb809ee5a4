"""What happens between the arrival of an outline and its acceptance."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from DiffusionSegBridge.labelmaps import labelmapVoxels
from DiffusionSegBridge.new_segment import createSegmentationFor
from DiffusionSegBridge.segments import readSegments, segmentOf, writeSegment
from DiffusionSegBridge.size_words import sizeInWords
from DiffusionSegBridge.volumes import worldGeometry
from DiffusionSegLib.nouns.candidate import Candidate
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.prompt import Prompt
from DiffusionSegLib.nouns.verdict import Verdict
from Testing.Slicer.Bridge.results import ball, maskOf
from Testing.Slicer.Panel.toy_results import arrive, toyVolume

CENTER = Prompt(points=[(5.6, 6.3, 10.0)])


def previews(scene: Any) -> list[Any]:
    import slicer

    nodes = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    return [node for node in nodes if node.GetName() == "DiffusionSeg preview"]


def drawn(scene: Any) -> np.ndarray:
    (node,) = previews(scene)
    segment = node.GetSegmentation().GetNthSegment(0)
    return labelmapVoxels(segment.GetRepresentation("Binary labelmap")).copy()


def segmentations() -> list[Any]:
    import slicer

    nodes = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    return [node for node in nodes if not node.GetHideFromEditors()]


def test_nothing_to_see_at_first(opened: Any) -> None:
    ui = opened.page.result.ui
    assert ui.verdictLabel.text == "No outline yet."
    assert not ui.resultPart.isVisibleTo(opened.module.frame)


def test_the_outline_follows_the_slider(opened: Any, scene: Any) -> None:
    node = toyVolume(opened, scene)
    found = arrive(opened, node)
    ui = opened.page.result.ui
    assert ui.verdictLabel.text == "Found (score 0.90). It says so."
    for threshold in (0.5, 0.2, 0.85):
        ui.thresholdSlider.value = threshold
        np.testing.assert_array_equal(drawn(scene), found.mask(threshold).array)
        voxels = int((found.mask(threshold).array > 0).sum())
        assert ui.volumeLabel.text == sizeInWords(voxels, found.geometry)
    assert opened.page.parameters.threshold == pytest.approx(0.5)
    opened.until(lambda: opened.page.parameters.threshold == pytest.approx(0.85))


def test_accept_makes_a_segment_and_the_preview_goes(opened: Any, scene: Any) -> None:
    node = toyVolume(opened, scene)
    found = arrive(opened, node)
    opened.page.result.ui.acceptButton.click()
    assert not previews(scene)
    (segmentation,) = segmentations()
    key = segmentation.GetSegmentation().GetNthSegmentID(0)
    assert segmentOf(segmentation, key).GetName() == "CT tumor"
    mask = readSegments(segmentation, {1: key}, worldGeometry(node))
    np.testing.assert_array_equal(mask.array, found.mask(0.5).array)
    assert opened.status.startswith("Accepted: CT tumor (")
    assert opened.page.parameters.targetSegmentation is segmentation
    assert not opened.page.result.ui.resultPart.isVisibleTo(opened.module.frame)


def test_the_editors_undo_and_redo_take_it_back_and_again(opened: Any, scene: Any) -> None:
    node = toyVolume(opened, scene)
    arrive(opened, node)
    opened.page.result.ui.acceptButton.click()
    (segmentation,) = segmentations()
    editor = opened.page.refine.editor
    assert editor.segmentationNode() is segmentation
    editor.undo()
    assert segmentation.GetSegmentation().GetNumberOfSegments() == 0
    editor.redo()
    assert segmentation.GetSegmentation().GetNumberOfSegments() == 1


def test_discard_leaves_no_trace(opened: Any, scene: Any) -> None:
    node = toyVolume(opened, scene)
    count = scene.GetNumberOfNodes()
    arrive(opened, node)
    assert previews(scene)
    opened.page.result.ui.discardButton.click()
    assert not previews(scene) and not segmentations()
    assert scene.GetNumberOfNodes() <= count + 1  # the terminology or color node of the first one


def test_not_found_says_so_and_cannot_be_accepted(opened: Any, scene: Any) -> None:
    node = toyVolume(opened, scene)
    arrive(opened, node, state=Verdict.NOT_FOUND)
    ui = opened.page.result.ui
    assert ui.verdictLabel.text == "Not found (score 0.20). It says so."
    assert not ui.acceptButton.enabled
    opened.page.result.accept()
    assert not segmentations()
    assert opened.status == "Not found, so no segment was made: It says so."


def test_uncertain_says_so(opened: Any, scene: Any) -> None:
    node = toyVolume(opened, scene)
    arrive(opened, node, state=Verdict.UNCERTAIN)
    ui = opened.page.result.ui
    assert ui.verdictLabel.text.startswith("Uncertain, please check (score 0.20)")
    ui.acceptButton.click()
    assert opened.status.endswith("Uncertain, please check: It says so.")


def test_an_empty_outline_stays_to_be_changed(opened: Any, scene: Any) -> None:
    node = toyVolume(opened, scene)
    arrive(opened, node, 0.3 * ball()[np.newaxis])
    ui = opened.page.result.ui
    ui.acceptButton.click()
    assert "empty at a threshold of 0.50" in opened.status
    ui.thresholdSlider.value = 0.1
    ui.acceptButton.click()
    assert len(segmentations()) == 1


def test_two_labels_make_two_segments(opened: Any, scene: Any) -> None:
    node = toyVolume(opened, scene)
    array = np.stack([ball(center=(3, 5, 6)), ball(center=(6, 10, 12), radius=0.6)]) / 2
    arrive(opened, node, array)
    ui = opened.page.result.ui
    ui.thresholdSlider.value = 0.3
    assert ui.volumeLabel.text.startswith("tumor ") and ", edema " in ui.volumeLabel.text
    ui.acceptButton.click()
    (segmentation,) = segmentations()
    segments = segmentation.GetSegmentation()
    names = [segments.GetNthSegment(n).GetName() for n in range(segments.GetNumberOfSegments())]
    assert names == ["CT tumor", "CT edema"]


def test_candidates_are_stepped_through_and_accepted(opened: Any, scene: Any) -> None:
    node = toyVolume(opened, scene)
    others = [np.zeros(ball().shape, np.uint8) for _ in range(2)]
    others[0][1:3, 2:5, 2:5], others[1][4:7, 8:10, 9:12] = 1, 1
    grid = worldGeometry(node)
    first = Candidate(maskOf(others[0], grid), 0.8, "part 1 of 2")
    second = Candidate(maskOf(others[1], grid), 0.45, "part 2 of 2")
    arrive(opened, node, alternatives=(first, second))
    ui = opened.page.result.ui
    assert ui.candidateLabel.text == "1 of 3, the main one"
    ui.previousCandidateButton.click()
    assert ui.candidateLabel.text == "3 of 3: part 2 of 2 (score 0.45)"
    np.testing.assert_array_equal(drawn(scene), others[1])
    assert not ui.thresholdSlider.enabled
    ui.previousCandidateButton.click()
    assert ui.candidateLabel.text == "2 of 3: part 1 of 2 (score 0.80)"
    np.testing.assert_array_equal(drawn(scene), others[0])
    ui.nextCandidateButton.click()
    ui.acceptButton.click()
    (segmentation,) = segmentations()
    key = segmentation.GetSegmentation().GetNthSegmentID(0)
    mask = readSegments(segmentation, {1: key}, worldGeometry(node))
    np.testing.assert_array_equal(mask.array, others[1])


def test_without_alternatives_there_is_nothing_to_step_through(opened: Any, scene: Any) -> None:
    arrive(opened, toyVolume(opened, scene))
    assert not opened.page.result.ui.candidateRow.isVisibleTo(opened.module.frame)


def test_more_marks_on_the_same_thing_replace_its_segment(opened: Any, scene: Any) -> None:
    node = toyVolume(opened, scene)
    arrive(opened, node, prompt=CENTER)
    ui = opened.page.result.ui
    ui.acceptButton.click()
    more = Prompt(points=[*CENTER.points, (3.0, 4.0, 8.0)])
    found = arrive(opened, node, ball(radius=0.8)[np.newaxis], prompt=more)
    assert ui.segmentCombo.currentText == ui.acceptButton.text == "Replace CT tumor"
    assert set(np.unique(drawn(scene))) == {0, 2, 3}  # a smaller ball removes and keeps
    ui.acceptButton.click()
    (segmentation,) = segmentations()
    assert segmentation.GetSegmentation().GetNumberOfSegments() == 1
    key = segmentation.GetSegmentation().GetNthSegmentID(0)
    mask = readSegments(segmentation, {1: key}, worldGeometry(node))
    np.testing.assert_array_equal(mask.array, found.mask(0.5).array)


def test_other_marks_make_another_segment(opened: Any, scene: Any) -> None:
    node = toyVolume(opened, scene)
    arrive(opened, node, prompt=CENTER)
    ui = opened.page.result.ui
    ui.acceptButton.click()
    arrive(opened, node, prompt=Prompt(points=[(3.0, 4.0, 8.0)]))
    assert ui.segmentCombo.currentText == "New segment"
    assert ui.acceptButton.text == "Accept"
    ui.acceptButton.click()
    (segmentation,) = segmentations()
    segments = segmentation.GetSegmentation()
    assert [segments.GetNthSegment(n).GetName() for n in range(2)] == ["CT tumor", "CT tumor 2"]


def test_after_an_undo_a_new_segment_is_offered(opened: Any, scene: Any) -> None:
    node = toyVolume(opened, scene)
    arrive(opened, node, prompt=CENTER)
    ui = opened.page.result.ui
    ui.acceptButton.click()
    opened.page.refine.editor.undo()
    arrive(opened, node, prompt=CENTER)
    assert ui.segmentCombo.currentText == "New segment"
    ui.acceptButton.click()
    (segmentation,) = segmentations()
    assert segmentation.GetSegmentation().GetNumberOfSegments() == 1


def test_a_segment_drawn_by_hand_can_be_replaced(opened: Any, scene: Any) -> None:
    node = toyVolume(opened, scene)
    mine = createSegmentationFor(node, "Mine")
    key = mine.GetSegmentation().AddEmptySegment("", "by hand")
    drawing = ball(center=(3, 5, 6)) > 0.6
    writeSegment(drawing, worldGeometry(node), mine, key)
    found = arrive(opened, node)
    ui = opened.page.result.ui
    assert ui.targetSelector.currentNode() is None
    ui.targetSelector.setCurrentNode(mine)
    assert set(np.unique(drawn(scene))) == {0, 1}
    ui.segmentCombo.setCurrentIndex(1)
    new = found.mask(0.5).array > 0
    expected = 1 * (new & ~drawing) + 2 * (drawing & ~new) + 3 * (new & drawing)
    np.testing.assert_array_equal(drawn(scene), expected)
    ui.acceptButton.click()
    assert mine.GetSegmentation().GetNumberOfSegments() == 1
    found_mask = readSegments(mine, {1: key}, worldGeometry(node)).array > 0
    np.testing.assert_array_equal(found_mask, new)


def test_another_volume_does_not_go_into_the_first_ones_segmentation(
    opened: Any, scene: Any
) -> None:
    first = toyVolume(opened, scene)
    arrive(opened, first)
    opened.page.result.ui.acceptButton.click()
    second = toyVolume(opened, scene)
    arrive(opened, second)
    opened.page.result.ui.acceptButton.click()
    assert len(segmentations()) == 2


def test_overwriting_is_off_unless_chosen(opened: Any, scene: Any) -> None:
    node = toyVolume(opened, scene)
    ui = opened.page.result.ui
    assert ui.overwriteCombo.itemData(ui.overwriteCombo.currentIndex) == "none"
    arrive(opened, node)
    ui.acceptButton.click()
    (segmentation,) = segmentations()
    first = segmentation.GetSegmentation().GetNthSegmentID(0)
    before = readSegments(segmentation, {1: first}, worldGeometry(node)).array
    arrive(opened, node, ball(center=(5, 8, 10))[np.newaxis], prompt=CENTER)
    ui.segmentCombo.setCurrentIndex(0)
    ui.acceptButton.click()
    now = readSegments(segmentation, {1: first}, worldGeometry(node)).array
    np.testing.assert_array_equal(now, before)
    arrive(opened, node, ball(center=(5, 8, 10))[np.newaxis], prompt=CENTER)
    ui.segmentCombo.setCurrentIndex(0)
    ui.overwriteCombo.setCurrentIndex(ui.overwriteCombo.findData("all"))
    ui.acceptButton.click()
    now = readSegments(segmentation, {1: first}, worldGeometry(node)).array
    assert now.sum() < before.sum()


def test_changes_stay_within_a_distance_of_the_clicks(opened: Any, scene: Any) -> None:
    node = toyVolume(opened, scene)
    ui = opened.page.result.ui
    arrive(opened, node)
    assert ui.moreBox.collapsed
    ui.moreBox.collapsed = False
    assert not ui.nearRow.isVisibleTo(opened.module.frame)  # no click, no distance
    whole = drawn(scene)
    arrive(opened, node, prompt=CENTER)
    assert ui.nearRow.isVisibleTo(opened.module.frame)
    ui.radiusSpinBox.value = 4.0
    ui.nearBox.checked = True
    part = drawn(scene)
    assert 0 < part.sum() < whole.sum()
    assert opened.page.parameters.keepNearClicks
    assert opened.page.parameters.radiusMm == pytest.approx(4.0)
    ui.acceptButton.click()
    (segmentation,) = segmentations()
    key = segmentation.GetSegmentation().GetNthSegmentID(0)
    mask = readSegments(segmentation, {1: key}, worldGeometry(node))
    np.testing.assert_array_equal(mask.array, part)


def test_the_views_go_to_the_most_uncertain_place(opened: Any, scene: Any) -> None:
    import slicer

    node = toyVolume(opened, scene)
    red = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode()
    geometry = worldGeometry(node)
    doubt = np.zeros((1, *geometry.shape_kji), np.float32)
    doubt[0, 2:5, 3:6, 4:7] = 0.4
    arrive(opened, node, uncertainty=Image(doubt, geometry))
    opened.page.result.ui.uncertainButton.click()
    place = geometry.kji_to_ras([[3, 4, 5]])[0]
    center = [red.GetSliceToRAS().GetElement(axis, 3) for axis in range(3)]
    np.testing.assert_allclose(center, place, atol=1e-5)
    places = opened.page.result._shown._uncertain
    for _press in range(len(places)):
        opened.page.result.ui.uncertainButton.click()
    center = [red.GetSliceToRAS().GetElement(axis, 3) for axis in range(3)]
    np.testing.assert_allclose(center, place, atol=1e-5)
    arrive(opened, node, np.ones((1, *geometry.shape_kji), np.float32))
    opened.page.result.ui.uncertainButton.click()
    assert opened.status == "The result is equally sure everywhere."


def test_early_estimates_are_shown_and_go(opened: Any, scene: Any) -> None:
    from DiffusionSegLib.worker.answers import Preview

    node = toyVolume(opened, scene)
    arrive(opened, node)
    old = drawn(scene)
    outliner = opened.page.outliner
    outliner.started.emit("propose")
    outliner._asked = type("Asked", (), {"volumeNodeId": node.GetID()})()
    coarse = worldGeometry(node).with_shape((5, 7, 8))
    outliner.previewed.emit(Preview(Image(ball((5, 7, 8))[np.newaxis].astype(np.float16), coarse)))
    shown = [preview.GetDisplayVisibility() for preview in previews(scene)]
    assert sorted(shown) == [0, 1]
    outliner._asked = None
    outliner.stopped.emit("Stopped.")
    assert [preview.GetDisplayVisibility() for preview in previews(scene)] == [1]
    np.testing.assert_array_equal(drawn(scene), old)


def test_hidden_while_another_module_is_open(opened: Any, scene: Any) -> None:
    node = toyVolume(opened, scene)
    arrive(opened, node)
    opened.widget.exit()
    assert not previews(scene)[0].GetDisplayVisibility()
    opened.widget.enter()
    assert previews(scene)[0].GetDisplayVisibility()


def test_the_volume_or_the_scene_goes(opened: Any, scene: Any) -> None:
    node = toyVolume(opened, scene)
    arrive(opened, node)
    scene.RemoveNode(node)
    assert not previews(scene)
    assert opened.status == "The volume is gone, so its outline was dropped."
    node = toyVolume(opened, scene)
    arrive(opened, node)
    scene.Clear(0)
    assert opened.page.result.shown is None
    node = toyVolume(opened, scene)
    arrive(opened, node)
    opened.page.result.ui.acceptButton.click()
    assert len(segmentations()) == 1


def test_a_scene_saved_meanwhile_holds_nothing_of_it(
    opened: Any, scene: Any, tmp_path: Any
) -> None:
    node = toyVolume(opened, scene)
    arrive(opened, node)
    ui = opened.page.result.ui
    ui.overlayCombo.setCurrentIndex(1)
    scene.SetURL(str(tmp_path / "saved.mrml"))
    scene.Commit()
    text = (tmp_path / "saved.mrml").read_text()
    assert "preview" not in text and "probability" not in text


def test_a_large_result_is_made_ready_between_other_events(
    opened: Any, scene: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page never waits for it; what happens meanwhile counts."""
    from DiffusionSegPanel import result_preparation

    node = toyVolume(opened, scene, shape=(40, 200, 200))
    result = opened.page.result
    monkeypatch.setattr(result_preparation, "_AT_ONCE_S", 0.0)
    arrive(opened, node, wait=False)
    assert result.shown is None and not previews(scene)
    latest = arrive(opened, node, wait=False)
    monkeypatch.setattr(result_preparation, "_AT_ONCE_S", 0.01)
    opened.until(lambda: result.shown is not None)
    assert result.shown.proposal is latest
    assert drawn(scene).any()
    monkeypatch.setattr(result_preparation, "_AT_ONCE_S", 0.0)
    arrive(opened, node, wait=False)
    scene.RemoveNode(node)
    monkeypatch.setattr(result_preparation, "_AT_ONCE_S", 0.01)
    opened.until(lambda: not result.preparation.isUnderWay)
    assert result.shown is None


def test_dragging_is_fast_enough_for_a_small_volume(opened: Any, scene: Any) -> None:
    """A guard against work that does not belong into a drag; the benchmark measures the rest."""
    node = toyVolume(opened, scene)
    arrive(opened, node)
    slider = opened.page.result.ui.thresholdSlider
    refreshed: list[int] = []
    original = opened.page.refresh
    opened.page.refresh = lambda: (refreshed.append(1), original())
    start = time.process_time()
    for step in range(20):
        slider.value = 0.3 + step / 100
    assert time.process_time() - start < 2.0
    assert not refreshed
