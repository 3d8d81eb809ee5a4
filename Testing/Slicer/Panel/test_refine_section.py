"""Editing by hand, Refine, and what must survive it."""

from __future__ import annotations

from typing import Any

import numpy as np

from DiffusionSegBridge.new_segment import createSegmentationFor
from DiffusionSegBridge.segments import readSegments, segmentOf, writeSegment
from DiffusionSegBridge.volumes import worldGeometry
from DiffusionSegLib.errors import InputError
from DiffusionSegLib.nouns.prompt import Prompt
from DiffusionSegLib.worker.setup import Setup
from Testing.Slicer.Bridge.results import ball, proposal
from Testing.Slicer.Panel.toy_results import arrive, toyVolume


class Sent:
    """What the section would send to the worker."""

    def __init__(self, opened: Any, node: Any, model: str = "toy") -> None:
        self.calls: list[Any] = []
        self.node = node
        refine = opened.page.refine
        refine.request = lambda: ([node], Setup("cdal", model), Prompt())
        opened.page.outliner.refine = self._refine
        self._started = opened.page.outliner.started

    def _refine(self, volumes: Any, setup: Any, edited: Any, prompt: Any, original: Any) -> None:
        self._started.emit("refine")
        self.calls.append((edited, original))


def accepted(opened: Any, node: Any, *array: Any) -> tuple[Any, dict[int, str]]:
    """Accept a toy result; the segmentation, and label value to segment."""
    found: list[Any] = []
    opened.page.result.accepted.connect(lambda one, _answer: found.append(one))
    arrive(opened, node, *array)
    opened.page.result.ui.thresholdSlider.value = 0.3
    opened.page.result.accept()
    return found[0].segmentationNode, dict(found[0].segmentIds)


def edit(segmentation: Any, ids: dict[int, str], node: Any, array: np.ndarray) -> None:
    for value, key in ids.items():
        writeSegment(array == value, worldGeometry(node), segmentation, key)


def test_the_editor_is_on_what_was_accepted(opened: Any, scene: Any) -> None:
    ui = opened.page.refine.ui
    assert not ui.refineButton.enabled
    assert "Accept an outline" in ui.refineHintLabel.text
    node = toyVolume(opened, scene)
    segmentation, ids = accepted(opened, node)
    editor = opened.page.refine.editor
    assert editor.segmentationNode() is segmentation
    assert editor.sourceVolumeNode() is node
    assert editor.currentSegmentID() == ids[1]
    assert ui.refineButton.enabled
    assert editor.mrmlSegmentEditorNode().GetSingletonTag() == "DiffusionSeg"


def test_both_labels_go_with_what_was_painted_and_erased(opened: Any, scene: Any) -> None:
    node = toyVolume(opened, scene)
    array = np.stack([ball(center=(3, 5, 6)), ball(center=(6, 10, 12), radius=0.6)]) / 2
    segmentation, ids = accepted(opened, node, array)
    before = readSegments(segmentation, ids, worldGeometry(node)).array.copy()
    painted = before.copy()
    painted[0, 0, 0:4], painted[8, 13, 15:], painted[before == 2][:3] = 1, 2, 0
    painted[tuple(np.argwhere(before == 1)[5])] = 2
    edit(segmentation, ids, node, painted)
    sent = Sent(opened, node)
    opened.page.refine.ui.refineButton.click()
    ((edited, original),) = sent.calls
    np.testing.assert_array_equal(edited.array, painted)
    np.testing.assert_array_equal(original.array, before)


def test_the_answer_keeps_every_painted_and_erased_voxel(opened: Any, scene: Any) -> None:
    """Even when the method did not, and whatever the threshold."""
    node = toyVolume(opened, scene)
    array = np.stack([ball(center=(3, 5, 6)), ball(center=(6, 10, 12), radius=0.6)]) / 2
    segmentation, ids = accepted(opened, node, array)
    geometry = worldGeometry(node)
    before = readSegments(segmentation, ids, geometry).array.copy()
    rng = np.random.default_rng(5)
    touched = rng.random(before.shape) < 0.15
    painted = np.where(touched, rng.integers(0, 3, before.shape), before).astype(np.uint8)
    edit(segmentation, ids, node, painted)
    Sent(opened, node)
    opened.page.refine.refine()
    answer = np.stack([ball(center=(5, 5, 6)), ball(center=(4, 10, 12))]) / 2
    arrive(opened, node, answer, kind="refine")
    opened.page.result.ui.thresholdSlider.value = 0.45
    opened.page.result.accept()
    now = readSegments(segmentation, ids, geometry).array
    user = painted != before
    assert user.sum() > 50
    np.testing.assert_array_equal(now[user], painted[user])
    given = proposal(node, answer).mask(0.45).array
    np.testing.assert_array_equal(now[~user], given[~user])
    assert segmentation.GetSegmentation().GetNumberOfSegments() == 2
    opened.page.refine.editor.undo()
    np.testing.assert_array_equal(readSegments(segmentation, ids, geometry).array, painted)


def test_what_is_drawn_while_it_runs_and_other_segments_stay(opened: Any, scene: Any) -> None:
    node = toyVolume(opened, scene)
    segmentation, ids = accepted(opened, node)
    geometry = worldGeometry(node)
    other = segmentation.GetSegmentation().AddEmptySegment("", "mine")
    drawing = ball(center=(5, 8, 10)) > 0.6
    writeSegment(drawing, geometry, segmentation, other)
    sent = Sent(opened, node)
    opened.page.refine.refine()
    later = sent.calls[0][0].array.copy()
    later[0, 0, 0:5] = 1
    edit(segmentation, ids, node, later)
    arrive(opened, node, ball(radius=1.2)[np.newaxis], kind="refine")
    opened.page.result.accept()
    now = readSegments(segmentation, ids, geometry).array
    assert (now[0, 0, 0:5] == 1).all()
    np.testing.assert_array_equal(readSegments(segmentation, {1: other}, geometry).array, drawing)
    segment = segmentOf(segmentation, ids[1])
    assert segment.GetName() == "CT tumor"


def test_a_second_refinement_starts_from_the_first(opened: Any, scene: Any) -> None:
    node = toyVolume(opened, scene)
    accepted(opened, node)
    sent = Sent(opened, node)
    opened.page.refine.refine()
    arrive(opened, node, ball(radius=0.8)[np.newaxis], kind="refine")
    opened.page.result.accept()
    opened.page.refine.refine()
    edited, original = sent.calls[1]
    np.testing.assert_array_equal(edited.array, original.array)
    opened.page.refine.editor.undo()
    opened.page.refine.refine()
    edited, original = sent.calls[2]
    np.testing.assert_array_equal(edited.array, sent.calls[0][0].array)
    np.testing.assert_array_equal(original.array, edited.array)


def test_a_segment_from_a_file(opened: Any, scene: Any) -> None:
    """No proposal: what was there when it was chosen is the original."""
    node = toyVolume(opened, scene)
    sent = Sent(opened, node)
    mine = createSegmentationFor(node, "From a file")
    key = mine.GetSegmentation().AddEmptySegment("", "lesion")
    drawing = ball(center=(5, 8, 10)) > 0.6
    writeSegment(drawing, worldGeometry(node), mine, key)
    opened.page.refine.editor.setSegmentationNode(mine)
    assert opened.page.refine.editor.sourceVolumeNode() is node
    painted = drawing.copy()
    painted[0, 0, 0:4] = True
    writeSegment(painted, worldGeometry(node), mine, key)
    opened.page.refine.ui.refineButton.click()
    ((edited, original),) = sent.calls
    np.testing.assert_array_equal(edited.array > 0, painted)
    np.testing.assert_array_equal(original.array > 0, drawing)
    arrive(opened, node, kind="refine")
    opened.page.result.accept()
    now = readSegments(mine, {1: key}, worldGeometry(node)).array
    assert (now[0, 0, 0:4] == 1).all()
    assert mine.GetSegmentation().GetNumberOfSegments() == 1


def test_which_structure_a_segment_from_a_file_shows_is_asked(opened: Any, scene: Any) -> None:
    from DiffusionSegLib.nouns.label import label_for

    node = toyVolume(opened, scene)
    sent = Sent(opened, node)
    refine = opened.page.refine
    refine.labels = lambda: (label_for(1, "Anterior"), label_for(2, "Posterior"))
    mine = createSegmentationFor(node, "From a file")
    key = mine.GetSegmentation().AddEmptySegment("", "posterior part")
    writeSegment(ball() > 0.5, worldGeometry(node), mine, key)
    refine.editor.setSegmentationNode(mine)
    assert refine.ui.structureRow.isVisibleTo(refine.ui.structureRow.parentWidget())
    assert refine.ui.structureCombo.currentText == "Posterior"
    refine.refine()
    assert set(np.unique(sent.calls[0][0].array)) == {0, 2}


def test_nothing_to_refine_is_said(opened: Any, scene: Any) -> None:
    refine = opened.page.refine
    opened.until(lambda: opened.page.link.catalogue is not None)
    refine.refine()
    assert opened.status == "Choose a volume to outline."
    node = toyVolume(opened, scene)
    Sent(opened, node)
    refine.refine()
    assert opened.status == "No segment is chosen; accept an outline or choose one."
    mine = createSegmentationFor(node, "Empty")
    mine.GetSegmentation().AddEmptySegment("", "nothing")
    refine.editor.setSegmentationNode(mine)
    refine.refine()
    assert opened.status == "The segment nothing is empty here; paint some of it, then refine."

    def outside() -> Any:
        raise InputError("The point lies outside.")

    refine.request = outside
    refine.refine()
    assert opened.status == "The point lies outside."


def test_keys_and_effects_only_while_it_can_be_seen(opened: Any, scene: Any) -> None:
    calls: list[str] = []
    refine = opened.page.refine
    editor = type(refine.editor)
    names = ("installKeyboardShortcuts", "uninstallKeyboardShortcuts", "removeViewObservations")
    originals = {name: getattr(editor, name) for name in names}
    try:
        for name in names:
            setattr(editor, name, lambda self, *_, name=name: calls.append(name))
        assert opened.ui.refineSection.collapsed
        opened.ui.refineSection.collapsed = False
        opened.widget.exit()
        opened.widget.enter()
        opened.ui.refineSection.collapsed = True
    finally:
        for name, original in originals.items():
            setattr(editor, name, original)
    assert calls == [names[0], names[1], names[2], names[0], names[1], names[2]]


def test_the_scene_is_closed_and_another_one_edited(opened: Any, scene: Any) -> None:
    node = toyVolume(opened, scene)
    accepted(opened, node)
    scene.Clear(0)
    refine = opened.page.refine
    assert refine.editor.segmentationNode() is None
    assert not refine.ui.refineButton.enabled
    node = toyVolume(opened, scene)
    segmentation, _ids = accepted(opened, node)
    assert refine.editor.segmentationNode() is segmentation
    sent = Sent(opened, node)
    refine.refine()
    assert len(sent.calls) == 1


def test_refined_with_the_real_worker(opened: Any) -> None:
    """Two labels of a hippocampus, painted and erased; every one of those voxels stays."""
    node = opened.ready()
    results = opened.finished()
    opened.ui.segmentButton.click()
    page = opened.page
    opened.until(lambda: results and page.result.shown is not None)
    page.result.accept()
    segmentation = page.refine.editor.segmentationNode()
    geometry = worldGeometry(node)
    ids = dict(page.result._earlier.segmentIds)
    before = readSegments(segmentation, ids, geometry).array.copy()
    assert set(np.unique(before)) == {0, 1, 2}
    painted = before.copy()
    center = [int(axis.mean()) for axis in np.nonzero(before)]
    painted[center[0], center[1] - 2 : center[1] + 2, center[2] - 2 : center[2] + 2] = 0
    painted[center[0] + 1, center[1] + 6 : center[1] + 9, center[2] : center[2] + 3] = 1
    painted[center[0] + 2, center[1] - 9 : center[1] - 6, center[2] : center[2] + 3] = 2
    edit(segmentation, ids, node, painted)
    page.refine.ui.refineButton.click()
    opened.until(lambda: len(results) == 2)
    assert results[1].kind == "refine"
    page.result.accept()
    now = readSegments(segmentation, ids, geometry).array
    user = painted != before
    np.testing.assert_array_equal(now[user], painted[user])
    assert (now != painted).any()
    assert segmentation.GetSegmentation().GetNumberOfSegments() == 2
    page.refine.editor.undo()
    np.testing.assert_array_equal(readSegments(segmentation, ids, geometry).array, painted)
    page.refine.editor.undo()
    assert segmentation.GetSegmentation().GetNumberOfSegments() == 0
