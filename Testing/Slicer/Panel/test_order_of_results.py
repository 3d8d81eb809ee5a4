"""Results, estimates and what the user does meanwhile, in every order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.worker.answers import Preview
from Testing.Library.worker.toy_worker import TOY_METHODS
from Testing.Library.worker.toys import write_bright
from Testing.Slicer.Bridge.results import ball, proposal
from Testing.Slicer.Panel.toy_results import toyVolume


@pytest.fixture
def hold(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """hold(True): results are made ready bit by bit, as large ones are; hold(False): at once."""
    from DiffusionSegPanel import result_preparation

    return lambda isHeld: monkeypatch.setattr(
        result_preparation, "_AT_ONCE_S", 0.0 if isHeld else 600.0
    )


@pytest.fixture
def live(scripted: Any, scene: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The page with a method that has a live parameter, and a volume; `node` is that volume."""
    from DiffusionSegLib import methods

    monkeypatch.setattr(methods, "__path__", [*methods.__path__, TOY_METHODS])
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(write_bright(tmp_path / "models")))
    scripted.node = toyVolume(scripted, scene)
    scripted.page.parameters.method = "bright"
    scripted.answered()
    return scripted


def shownNow(scripted: Any) -> Any:
    shown = scripted.page.result.shown
    return None if shown is None else shown.proposal


def readyNow(scripted: Any) -> None:
    """What is made ready is ready."""
    scripted.page.result.preparation._goOn()


def gain(opened: Any) -> Any:
    """The slider of the live parameter."""
    return opened.page.live.form.widgets["gain"]


def gains(opened: Any) -> list[Any]:
    """With which outlines were asked for."""
    client = opened.client
    sent = [one for link in client.links for one in link.sent if one["kind"] == "propose"]
    return [one["setup"]["parameters"].get("gain", 1.0) for one in sent]


def preview(opened: Any, node: Any) -> None:
    """The run under way shows an estimate."""
    grid = proposal(node).geometry
    image = Image(ball(grid.shape_kji)[np.newaxis].astype(np.float16), grid)
    opened.page.outliner.previewed.emit(Preview(image))


def seen(opened: Any) -> tuple[bool, bool]:
    """Whether the estimate of a run and the result are seen in the views."""
    section = opened.page.result
    return isSeen(section._estimate._preview), isSeen(section._preview)


def isSeen(part: Any) -> bool:
    return bool(part is not None and part.node and part.node.GetDisplayVisibility())


@pytest.mark.parametrize("decision", ["accept", "discard"])
def test_the_next_result_is_made_ready_while_the_one_before_is_decided_on(
    scripted: Any, scene: Any, hold: Any, decision: str
) -> None:
    node = scripted.segment(scene)
    hold(False)
    scripted.outline(node)
    scripted.ui.segmentButton.click()
    hold(True)
    found = proposal(node)
    scripted.answer("propose", found)
    getattr(scripted.page.result, decision)()
    hold(False)
    readyNow(scripted)
    assert shownNow(scripted) is found, "it was said to be done"


def test_a_run_that_begins_and_is_stopped_does_not_cost_the_result_before(
    scripted: Any, scene: Any, hold: Any
) -> None:
    node = scripted.segment(scene)
    hold(True)
    found = proposal(node)
    scripted.answer("propose", found)
    scripted.ui.segmentButton.click()
    scripted.page.outliner.stop("Stopped.")
    hold(False)
    readyNow(scripted)
    assert shownNow(scripted) is found


def test_a_volume_that_goes_while_its_outline_is_made_ready(
    scripted: Any, scene: Any, hold: Any
) -> None:
    node = scripted.segment(scene)
    preview(scripted, node)
    hold(True)
    scripted.outline(node)
    scene.RemoveNode(node)
    hold(False)
    readyNow(scripted)
    assert scripted.status == "The volume is gone, so its outline was dropped."
    assert seen(scripted) == (False, False)
    assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0


def test_an_outline_that_cannot_be_shown_is_told_last(
    scripted: Any, scene: Any, hold: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small result is ready at once, before anybody else heard that the run is done."""
    from DiffusionSegLib.errors import InputError
    from DiffusionSegPanel import result_section

    def refuse(*_arguments: Any) -> Any:
        raise InputError("It cannot be shown.")

    node = scripted.segment(scene)
    hold(False)
    monkeypatch.setattr(result_section, "ShownResult", refuse)
    scripted.outline(node)
    assert scripted.status == "It cannot be shown."


def test_one_outline_is_seen_at_a_time(scripted: Any, scene: Any, hold: Any) -> None:
    """The estimate of the run under way, else the result that waits; whatever is done meanwhile."""
    node = scripted.segment(scene)
    hold(False)
    scripted.outline(node)
    assert seen(scripted) == (False, True)
    scripted.ui.segmentButton.click()
    preview(scripted, node)
    assert seen(scripted) == (True, False)
    scripted.page.result.ui.thresholdSlider.value = 0.7
    assert seen(scripted) == (True, False)
    scripted.module.exit()
    assert seen(scripted) == (False, False)
    scripted.module.enter()
    assert seen(scripted) == (True, False)
    scripted.page.segment()
    assert seen(scripted) == (False, True), "of a run whose place another took"
    scripted.outline(node)
    preview(scripted, node)
    scripted.page.outliner.stopped.emit("")
    assert seen(scripted) == (False, True)


def test_an_estimate_that_comes_after_the_result(scripted: Any, scene: Any, hold: Any) -> None:
    from DiffusionSegPanel import outliner

    node = scripted.segment(scene)
    hold(False)
    scripted.page.outliner._lastPreviewS -= outliner._PREVIEW_EVERY_S
    scripted.poll()
    grid = proposal(node).geometry
    image = Image(ball(grid.shape_kji)[np.newaxis].astype(np.float16), grid)
    scripted.client.answer("propose", proposal(node))
    scripted.answer("preview", Preview(image))
    assert seen(scripted) == (False, True)


@pytest.mark.parametrize("event", ["result", "leave", "close"])
def test_a_threshold_that_was_moved_just_now_is_kept(
    scripted: Any, scene: Any, hold: Any, event: str
) -> None:
    """The parameter node hears of it later than that."""
    node = scripted.segment(scene)
    hold(False)
    scripted.outline(node)
    scripted.ui.segmentButton.click()
    parameters, slider = scripted.page.parameters, scripted.page.result.ui.thresholdSlider
    slider.value = 0.7
    if event == "result":
        scripted.outline(node)
        assert slider.value == pytest.approx(0.7)
    elif event == "leave":
        scripted.module.exit()
    else:
        scripted.widget.cleanup()
    assert parameters.threshold == pytest.approx(0.7)


def test_a_threshold_of_a_scene_that_was_closed_is_not_the_next_ones(
    scripted: Any, scene: Any, hold: Any
) -> None:
    node = scripted.segment(scene)
    hold(False)
    scripted.outline(node)
    scripted.page.result.ui.thresholdSlider.value = 0.7
    scene.Clear(0)
    scripted.page.result.enter()
    assert scripted.page.parameters.threshold == pytest.approx(0.5)
    assert scripted.page.result.threshold == pytest.approx(0.5)


@pytest.mark.parametrize("decision", ["accept", "discard"])
@pytest.mark.parametrize("isAnswered", [False, True])
def test_an_outline_that_is_decided_on_does_not_come_back(
    live: Any, hold: Any, decision: str, isAnswered: bool
) -> None:
    """The slider was moved, and Accept or Discard pressed before its answer was shown."""
    hold(False)
    live.ui.segmentButton.click()
    live.outline(live.node)
    gain(live).value = 0.5
    assert gains(live) == [1.0, 0.5]
    hold(True)
    if isAnswered:
        live.outline(live.node)
    getattr(live.page.result, decision)()
    status = live.status
    assert status.startswith("Accepted") or decision == "discard"
    hold(False)
    if not isAnswered:
        live.outline(live.node)
    readyNow(live)
    assert shownNow(live) is None
    assert live.status == status
    assert not live.page.outliner.isBusy


def test_a_value_that_changed_during_a_run_can_be_stopped_too(
    live: Any, hold: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its run begins where the other one ends."""
    from DiffusionSegLib.worker.answers import WorkerProgress
    from DiffusionSegPanel import run_section

    monkeypatch.setattr(run_section, "_QUIET_S", -1.0)
    hold(False)
    live.ui.segmentButton.click()
    live.page.settingsSection.parameters.widgets["gain"].value = 0.5
    assert gains(live) == [1.0]
    live.outline(live.node)
    assert gains(live) == [1.0, 0.5]
    live.page.outliner.progressed.emit(WorkerProgress(0.5, "Drawing", 1.0, 1.0))
    assert live.ui.segmentButton.text == "Stop"
    live.ui.segmentButton.click()
    assert not live.page.outliner.isBusy
    assert live.status == "Stopped."


def test_a_slider_does_not_end_the_run_that_the_user_began(live: Any, hold: Any) -> None:
    """An earlier result is ready only now, and the slider is elsewhere by now."""
    hold(True)
    live.ui.segmentButton.click()
    live.outline(live.node)
    live.ui.segmentButton.click()
    live.page.settingsSection.parameters.widgets["gain"].value = 0.5
    hold(False)
    readyNow(live)
    assert shownNow(live) is not None
    assert gains(live) == [1.0, 1.0]
    live.outline(live.node)
    assert gains(live) == [1.0, 1.0, 0.5], "it is followed after that"


def test_a_volume_whose_voxels_are_replaced_during_the_run(scripted: Any, scene: Any) -> None:
    """Its outline is of what was sent, and that is said; one that was only moved is the same."""
    import slicer
    import vtk

    node = scripted.segment(scene)
    moved = vtk.vtkMatrix4x4()
    moved.SetElement(0, 3, 7.0)
    node.ApplyTransformMatrix(moved)
    scripted.outline(node)
    assert scripted.status.endswith("s.")
    scripted.ui.segmentButton.click()
    slicer.util.updateVolumeFromArray(node, slicer.util.arrayFromVolume(node) + 1)
    scripted.outline(node)
    words = "The volume was changed meanwhile: this outlines what it was before."
    assert scripted.status.endswith(words)
    scripted.ui.segmentButton.click()
    found = proposal(node)
    node.SetAndObserveImageData(None)
    scripted.answer("propose", found)
    assert "changed meanwhile" in scripted.status
