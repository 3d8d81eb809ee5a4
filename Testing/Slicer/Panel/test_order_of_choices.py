"""What is chosen or pressed before the worker answered, while it works, and twice."""

from __future__ import annotations

from typing import Any

from DiffusionSegBridge.new_segment import createSegmentationFor
from DiffusionSegBridge.segments import writeSegment
from DiffusionSegBridge.volumes import worldGeometry
from DiffusionSegLib.worker.answers import Estimate
from Testing.Slicer.Bridge.results import ball
from Testing.Slicer.Panel.toy_results import toyVolume


def drawn(opened: Any, node: Any) -> tuple[Any, str]:
    """A segment as from a file, chosen in the page's editor."""
    segmentation = createSegmentationFor(node, "From a file")
    key = segmentation.GetSegmentation().AddEmptySegment("", "drawn")
    writeSegment(ball() > 0.5, worldGeometry(node), segmentation, key)
    opened.page.refine.editor.setSegmentationNode(segmentation)
    opened.page.refine.editor.setCurrentSegmentID(key)
    return segmentation, key


def test_a_segment_that_was_chosen_before_the_worker_answered(scripted: Any, scene: Any) -> None:
    """What is painted from then on is the user's, and which structure it is is asked."""
    node = toyVolume(scripted, scene)
    page, ui = scripted.page, scripted.page.refine.ui
    page.parameters.method, page.parameters.model = "cdal", "hippocampus"
    segmentation, key = drawn(scripted, node)
    assert page.refine.editor.sourceVolumeNode() is node
    before = ball() > 0.5
    painted = before.copy()
    painted[0, 0, :4] = True
    writeSegment(painted, worldGeometry(node), segmentation, key)
    assert not scripted.sees(ui.structureRow)
    scripted.answered()
    assert scripted.sees(ui.structureRow)
    ui.structureCombo.setCurrentIndex(1)
    page.refresh()
    assert ui.structureCombo.currentIndex == 1, "what was chosen stays"
    asked: list[Any] = []
    page.outliner.refine = lambda *arguments: asked.append(arguments)
    ui.refineButton.click()
    ((_volumes, _setup, edited, _prompt, original),) = asked
    assert set(edited.array.ravel()) == {0, 2}
    assert ((edited.array > 0) == painted).all()
    assert ((original.array > 0) == before).all()


def test_a_volume_that_is_chosen_after_the_segment(scripted: Any, scene: Any) -> None:
    node = toyVolume(scripted, scene)
    scripted.page.parameters.inputVolume = None
    drawn(scripted, node)
    assert scripted.page.refine.editor.sourceVolumeNode() is None
    scripted.page.parameters.inputVolume = node
    assert scripted.page.refine.editor.sourceVolumeNode() is node


def test_refine_is_pressed_before_the_worker_answered(scripted: Any, scene: Any) -> None:
    drawn(scripted, toyVolume(scripted, scene))
    for _ in range(2):
        scripted.page.refine.ui.refineButton.click()
        assert scripted.status == "Waiting for the worker."
        scripted.answered()
        assert scripted.status == "", "it is waited for no longer"
        scripted.page.keeper.restart()


def test_a_segment_that_the_editor_still_names_is_gone(scripted: Any, scene: Any) -> None:
    """Slicer's editor chooses another one only after all have heard of it."""
    node = toyVolume(scripted, scene)
    scripted.page.parameters.method = "cdal"
    scripted.answered()
    drawn(scripted, node)
    ui, editor = scripted.page.refine.ui, scripted.page.refine.editor
    assert ui.refineButton.enabled
    editor.mrmlSegmentEditorNode().SetSelectedSegmentID("gone")
    scripted.page.refresh()
    assert not ui.refineButton.enabled
    scripted.page.refine.refine()
    assert scripted.status == "No segment is chosen; accept an outline or choose one."


def test_another_model_asks_for_other_structures(scripted: Any, scene: Any) -> None:
    node = toyVolume(scripted, scene)
    page, ui = scripted.page, scripted.page.refine.ui
    page.parameters.method, page.parameters.model = "cdal", "hippocampus"
    scripted.answered()
    drawn(scripted, node)
    assert scripted.sees(ui.structureRow)
    single = next(one for one in page.link.catalogue.models if len(one.labels) == 1)
    page.parameters.method, page.parameters.model = single.method, single.name
    assert not scripted.sees(ui.structureRow)


def ask(estimator: Any) -> None:
    """The choices have not changed for a moment."""
    estimator._timer.stop()
    estimator._ask()


def wanted(scripted: Any, scene: Any) -> Any:
    """An estimate is wanted; returns what asks for it."""
    toyVolume(scripted, scene)
    scripted.page.parameters.method = "cdal"
    scripted.answered()
    return scripted.page.estimator


def test_an_estimate_for_an_older_choice_is_not_shown(scripted: Any, scene: Any) -> None:
    estimator = wanted(scripted, scene)
    ask(estimator)
    first = scripted.client.asked("estimate")[-1]
    scripted.client.worker.answer(first, Estimate(1.0, None, "About 1 s"))
    scripted.page.parameters.samples = 7
    scripted.poll()
    assert scripted.status == ""
    ask(estimator)
    scripted.answer("estimate", Estimate(7.0, None, "About 7 s"))
    assert scripted.status == "About 7 s"


def test_an_estimate_that_a_run_came_before_is_asked_for_after_it(
    scripted: Any, scene: Any
) -> None:
    """The run of a live parameter, or of the effect on the same worker."""
    estimator, page = wanted(scripted, scene), scripted.page
    node = page.parameters.inputVolume
    ask(estimator)
    page.outliner.propose(*page.request())
    scripted.poll()
    assert estimator._timer.active
    ask(estimator)
    assert estimator._timer.active, "not while it goes on"
    assert len(scripted.client.asked("estimate")) == 1
    scripted.outline(node)
    ask(estimator)
    assert len(scripted.client.asked("estimate")) == 2
    scripted.answer("estimate", Estimate(1.0, None, "About 1 s"))
    page.run.say("")
    assert scripted.status == "About 1 s"


def test_a_double_click_on_segment_is_one_press(scripted: Any, scene: Any) -> None:
    scripted.page.run.blinkS = 600.0
    scripted.segment(scene)
    button = scripted.ui.segmentButton
    button.click()
    assert scripted.page.outliner.isBusy
    scripted.page.run.blinkS = 0.0
    button.click()
    assert not scripted.page.outliner.isBusy


def test_stop_that_is_pressed_just_when_the_run_ends_begins_no_other(
    scripted: Any, scene: Any
) -> None:
    node = scripted.segment(scene)
    scripted.page.run.blinkS = 600.0
    scripted.outline(node)
    assert scripted.status.startswith("Done")
    scripted.ui.segmentButton.click()
    assert not scripted.page.outliner.isBusy
    assert scripted.status.startswith("Done")
    scripted.page.run.blinkS = 0.0
    scripted.ui.segmentButton.click()
    assert scripted.page.outliner.isBusy
