"""The effect, its worker and the page's: whatever ends first."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from DiffusionSegBridge.new_segment import createSegmentationFor
from DiffusionSegBridge.segments import readSegments, writeSegment
from DiffusionSegBridge.volumes import worldGeometry
from DiffusionSegLib.errors import WorkerError
from DiffusionSegLib.worker.catalogue import catalogue
from Testing.Slicer.Bridge.results import ball, proposal, volume
from Testing.Slicer.Panel.conftest import ROOT

DEAD = "The worker stopped unexpectedly (exit code 1). The next request starts it again."


@pytest.fixture
def page(scripted: Any) -> Any:
    """The module's page, opened beside the editor."""
    from Testing.Harness.boot import openModule

    module = openModule(ROOT / "DiffusionSeg" / "DiffusionSeg.py")
    yield module
    module.close()


def drawn(scripted: Any, scene: Any) -> Any:
    """A volume with a segment, chosen in the editor; returns the volume."""
    node = volume(scene)
    segmentation = createSegmentationFor(node, "Mine")
    key = segmentation.GetSegmentation().AddEmptySegment("", "tumor")
    writeSegment(ball() > 0.5, worldGeometry(node), segmentation, key)
    scripted.choose(node, segmentation, key)
    return node


def activate(scripted: Any) -> Any:
    """Choose the effect; returns what it is done by."""
    scripted.widget.setActiveEffectByName("Diffusion refine")
    return scripted.effect.refiner


def describe(scripted: Any, client: Any) -> None:
    client.answer("describe", catalogue())
    scripted.effect.refiner.poll()
    scripted.chooseModel("cdal/hippocampus")


def refining(scripted: Any, scene: Any, clients: list[Any]) -> Any:
    """A run under way; returns the volume."""
    node = drawn(scripted, scene)
    activate(scripted)
    describe(scripted, clients[-1])
    scripted.ui.refineButton.click()
    assert scripted.effect.refiner.outliner.isBusy
    return node


def test_a_worker_that_never_answered_is_tried_again(
    scripted: Any, scene: Any, clients: list[Any]
) -> None:
    drawn(scripted, scene)
    refiner = activate(scripted)
    clients[0].worker.end(DEAD)
    refiner.poll()
    assert scripted.status == DEAD
    assert scripted.ui.refineButton.enabled
    scripted.ui.refineButton.click()
    assert len(clients) == 2
    assert scripted.status.startswith("The worker has not said yet")
    describe(scripted, clients[1])
    assert scripted.ui.modelCombo.count
    assert scripted.status.startswith("Paint what is missing"), "it is waited for no longer"
    scripted.widget.setActiveEffect(None)
    activate(scripted)
    assert len(clients) == 2, "the one that works is kept"


def test_why_no_worker_could_be_made_is_said(
    scripted: Any, scene: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from DiffusionSegLib.errors import InputError
    from DiffusionSegPanel import shared

    def refuse(_command: str) -> Any:
        raise InputError("The command has no end.")

    monkeypatch.setattr(shared.shared()._own, "_createClient", refuse)
    activate(scripted)
    assert scripted.status == "The command has no end."


def test_what_is_not_known_of_devices_does_not_end_a_refinement(
    scripted: Any, scene: Any, clients: list[Any], page: Any
) -> None:
    """The page asks what the worker computes with; that this failed is not the run's end."""
    node = refining(scripted, scene, clients)
    (client,) = clients
    page.widget.page.link.needHello()
    client.fail("hello", WorkerError("A mistake in the program stopped this."))
    scripted.effect.refiner.poll()
    assert scripted.ui.stopButton.isVisibleTo(scripted.ui.stopButton.parentWidget())
    client.answer("refine", proposal(node))
    scripted.effect.refiner.poll()
    assert scripted.status.startswith("Accepted")
    assert page.widget.page.notice.text == "", "it answers, after all"
    assert not scripted.ui.stopButton.isVisibleTo(scripted.ui.stopButton.parentWidget())


def test_setting_up_begins_while_the_effect_is_used(
    scripted: Any, scene: Any, clients: list[Any], page: Any
) -> None:
    """No worker is started while its files change, and the one after that is the effect's too."""
    refining(scripted, scene, clients)
    setup, refiner = page.widget.page.setup, scripted.effect.refiner
    page.exit()
    setup._stopWorker()
    assert not refiner.outliner.isBusy
    assert scripted.status.startswith("The worker was changed")
    scripted.ui.refineButton.click()
    scripted.widget.setActiveEffect(None)
    activate(scripted)
    assert len(clients) == 1
    setup._end("Ready.")
    assert len(clients) == 2
    describe(scripted, clients[1])
    assert refiner.outliner.client is clients[1]
    scripted.ui.refineButton.click()
    assert refiner.outliner.isBusy


def test_the_page_goes_while_the_effect_is_used(
    scripted: Any, scene: Any, clients: list[Any], page: Any
) -> None:
    refining(scripted, scene, clients)
    page.widget.cleanup()
    refiner = scripted.effect.refiner
    assert not refiner.outliner.isBusy
    assert len(clients) == 1, "nothing starts while Slicer may be ending"
    scripted.ui.refineButton.click()
    assert len(clients) == 2
    describe(scripted, clients[1])
    scripted.ui.refineButton.click()
    assert refiner.outliner.isBusy


def test_a_page_that_was_never_shown_has_the_worker_all_the_same(
    scripted: Any, clients: list[Any], page: Any
) -> None:
    from DiffusionSegPanel.shared import shared

    page.widget.page.link.close()
    assert shared().link() is page.widget.page.link
    assert page.widget.page.link.client is clients[-1]


def test_an_answer_after_the_effect_was_left(
    scripted: Any, scene: Any, clients: list[Any], page: Any
) -> None:
    """The page's worker says more when no editor has anything chosen."""
    activate(scripted)
    scripted.widget.setActiveEffect(None)
    scripted.widget.setMRMLSegmentEditorNode(None)
    clients[0].answer("describe", catalogue())
    page.widget.page.poll()
    assert page.widget.page.link.catalogue is not None


def test_the_scene_is_closed_and_another_has_the_same_volume(
    scripted: Any, scene: Any, clients: list[Any]
) -> None:
    """Its nodes get the same IDs before anybody looks whether the volume is still there."""
    node = refining(scripted, scene, clients)
    clients[0].answer("refine", proposal(node))
    name = node.GetID()
    scene.Clear(0)
    assert volume(scene).GetID() == name
    scripted.effect.refiner.poll()
    assert scripted.status == "The scene was closed, so the outline was stopped."


def test_another_segment_is_chosen_while_one_is_refined(
    scripted: Any, scene: Any, clients: list[Any]
) -> None:
    """What is painted in it afterwards is the user's, and the answer goes where it belongs."""
    from DiffusionSegPanel.shared import shared

    node = refining(scripted, scene, clients)
    segmentation = scripted.widget.segmentationNode()
    first, geometry = scripted.widget.currentSegmentID(), worldGeometry(node)
    other = segmentation.GetSegmentation().AddEmptySegment("", "other")
    scripted.widget.setCurrentSegmentID(other)
    clients[0].answer("refine", proposal(node, ball(radius=1.3)[np.newaxis]))
    scripted.effect.refiner.poll()
    assert scripted.status.startswith("Accepted: tumor")
    assert scripted.widget.currentSegmentID() == other
    assert readSegments(segmentation, {1: first}, geometry).array.any()
    assert not readSegments(segmentation, {1: other}, geometry).array.any()
    assert shared().knownMasks.knows(segmentation, other), "as it was before it is painted"


def test_the_structure_that_was_chosen_stays_whatever_else_is_told(
    scripted: Any, scene: Any, clients: list[Any]
) -> None:
    node = drawn(scripted, scene)
    activate(scripted)
    describe(scripted, clients[0])
    combo = scripted.ui.structureCombo
    combo.setCurrentIndex(1)
    scripted.effect.updateGUIFromMRML()
    scripted.effect.refiner._link.changed.emit()
    assert combo.currentIndex == 1
    scripted.ui.refineButton.click()
    clients[0].answer("refine", proposal(node))
    scripted.effect.refiner.poll()
    assert combo.currentIndex == 1
    other = scripted.widget.segmentationNode().GetSegmentation().AddEmptySegment("", "other")
    scripted.widget.setCurrentSegmentID(other)
    assert combo.currentIndex == 0, "of another segment it is asked anew"


def test_another_segmentation_is_chosen_while_a_segment_is_refined(
    scripted: Any, scene: Any, clients: list[Any]
) -> None:
    """Its undo steps are the editor's now: the user goes on there, and nothing is taken away."""
    node = refining(scripted, scene, clients)
    first = scripted.widget.segmentationNode()
    key = scripted.widget.currentSegmentID()
    before = readSegments(first, {1: key}, worldGeometry(node)).array
    other = createSegmentationFor(node, "Other")
    scripted.widget.setSegmentationNode(other)
    assert scripted.status.startswith("Stopped, because another segmentation was chosen.")
    clients[0].answer("refine", proposal(node, ball(radius=1.3)[np.newaxis]))
    scripted.effect.refiner.poll()
    assert scripted.widget.segmentationNode() is other
    after = readSegments(first, {1: key}, worldGeometry(node)).array
    np.testing.assert_array_equal(after, before)


def test_a_volume_that_is_replaced_while_a_segment_is_refined(
    scripted: Any, scene: Any, clients: list[Any]
) -> None:
    import slicer

    node = refining(scripted, scene, clients)
    slicer.util.updateVolumeFromArray(node, slicer.util.arrayFromVolume(node) + 1)
    clients[0].answer("refine", proposal(node))
    scripted.effect.refiner.poll()
    assert scripted.status.startswith("Accepted")
    assert scripted.status.endswith("this outlines what it was before.")


@pytest.mark.parametrize("isStopped", [False, True])
def test_setting_up_ends_while_a_segment_is_refined(
    scripted: Any, scene: Any, clients: list[Any], page: Any, isStopped: bool
) -> None:
    """On a worker that did not have to stop for it: the next run is done by the new one."""
    node = refining(scripted, scene, clients)
    page.widget.page.setup._end("Ready.")
    refiner = scripted.effect.refiner
    assert refiner.outliner.isBusy
    if isStopped:
        scripted.ui.stopButton.click()
        assert scripted.status.startswith("Stopped; the segment is as it was.")
    else:
        clients[0].answer("refine", proposal(node))
        refiner.poll()
        assert scripted.status.startswith("Accepted")
    assert clients[0].is_closed
    assert len(clients) == 2
    assert refiner.outliner.client is clients[1]
