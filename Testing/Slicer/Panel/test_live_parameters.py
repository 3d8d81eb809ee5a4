"""A slider that moves the outline without another pass, with a real worker."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from DiffusionSegBridge.segments import readSegments
from DiffusionSegBridge.volumes import worldGeometry
from Testing.Library.worker.toys import write_bright
from Testing.Slicer.Bridge.results import volume
from Testing.Slicer.Panel.conftest import ROOT


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Starts the worker with the toy method, which has one live parameter: its gain."""
    models = write_bright(tmp_path_factory.mktemp("live_models"))
    variables = (f"DIFFUSIONSEG_MODELS={models}", f"PYTHONPATH={ROOT}")
    return shlex.join(
        (
            "env",
            *variables,
            Path(sys.executable).as_posix(),
            "-m",
            "Testing.Library.worker.toy_worker",
        )
    )


@pytest.fixture
def bright(opened: Any, scene: Any, command: str) -> Any:
    """The page with the toy method and a volume, ready to segment."""
    page = opened.page
    page.settings.command = command
    page.link.connect(command)
    page.parameters.method = "bright"
    node = volume(scene)
    node.CreateDefaultDisplayNodes()
    page.parameters.inputVolume = node
    opened.until(lambda: page.choice().method and page.choice().method.name == "bright")
    opened.until(lambda: opened.ui.segmentButton.enabled)
    yield opened
    page.settings.command = ""


def segmented(opened: Any, json: str = "{}") -> Any:
    """Segment is pressed and its outline shown; returns the slider beside it."""
    opened.page.parameters.parametersJson = json
    opened.ui.segmentButton.click()
    opened.until(lambda: opened.page.result.shown is not None)
    return opened.page.live.form.widgets["gain"]


def gain(opened: Any) -> Any:
    """With which the shown outline was made."""
    return opened.page.result.answer.proposal.provenance.parameters.get("gain", 1.0)


def begun(opened: Any) -> list[str]:
    """The list that kinds of runs go to from now on."""
    kinds: list[str] = []
    opened.page.outliner.started.connect(kinds.append)
    return kinds


def test_the_outline_follows_the_slider_without_another_pass(bright: Any, scene: Any) -> None:
    slider = segmented(bright)
    page, ui = bright.page, bright.ui
    assert slider.isVisibleTo(bright.module.frame)
    assert (slider.minimum, slider.maximum, slider.value) == (0.1, 2.0, 1.0)
    nodes = scene.GetNumberOfNodes()
    before = page.result.shown.mask(0.5).sum()
    page.result.ui.thresholdSlider.value = 0.6
    images, kinds = len(page.link.client.sent), begun(bright)
    slider.value = 0.7
    assert ui.segmentButton.text == "Segment"
    assert not ui.progressBar.isVisibleTo(bright.module.frame)
    bright.until(lambda: gain(bright) == 0.7)
    assert kinds == ["again"]
    assert page.result.answer.kind == "again"
    assert 0 < page.result.shown.mask(0.5).sum() < before
    assert page.result.threshold == 0.6
    assert len(page.link.client.sent) == images
    assert scene.GetNumberOfNodes() == nodes
    assert page.settingsSection.parameters.widgets["gain"].value == 0.7
    page.settingsSection.parameters.widgets["gain"].value = 1.5
    bright.until(lambda: gain(bright) == 1.5)
    assert slider.value == 1.5
    slider.value = 1.0  # the default, which is not saved
    bright.until(lambda: gain(bright) == 1.0)
    assert kinds == ["again"] * 3


def test_of_many_values_the_latest_is_shown_and_not_all_are_asked_for(bright: Any) -> None:
    slider = segmented(bright, '{"bright": {"pause": 0.1}}')
    kinds, start = begun(bright), time.monotonic()
    for step in range(20):
        slider.value = 0.5 + step / 20
        bright.settle(0.01)
    bright.until(lambda: gain(bright) == slider.value)
    assert gain(bright) == pytest.approx(1.4, abs=0.06)
    assert 2 <= len(kinds) <= 2 + (time.monotonic() - start) / 0.1
    bright.settle(0.3)
    assert not bright.page.outliner.isBusy


def test_other_parameters_wait_for_segment(bright: Any) -> None:
    slider = segmented(bright)
    fields, kinds = bright.page.settingsSection.parameters.widgets, begun(bright)
    fields["steps"].value = 3
    bright.settle(0.1)
    assert kinds == []
    slider.value = 0.5
    bright.until(lambda: gain(bright) == 0.5)
    assert bright.page.result.answer.proposal.provenance.parameters["done"] == 1


def test_an_accepted_segment_is_left_alone(bright: Any) -> None:
    import slicer

    slider = segmented(bright)
    page = bright.page
    target: list[Any] = []
    page.result.accepted.connect(lambda accepted, _answer: target.append(accepted))
    page.result.ui.acceptButton.click()
    node = slicer.mrmlScene.GetNodeByID(page.parameters.inputVolume.GetID())
    kinds = begun(bright)

    def accepted() -> np.ndarray:
        where = target[0]
        return readSegments(where.segmentationNode, where.segmentIds, worldGeometry(node)).array

    before = accepted()
    slider.value = 0.5
    bright.settle(0.1)
    assert kinds == []
    bright.ui.segmentButton.click()
    bright.until(lambda: page.result.shown is not None)
    assert gain(bright) == 0.5
    slider.value = 0.3
    bright.until(lambda: gain(bright) == 0.3)
    np.testing.assert_array_equal(accepted(), before)


def test_a_long_run_can_be_stopped_and_is_not_begun_again(bright: Any) -> None:
    slider = segmented(bright)
    page, ui = bright.page, bright.ui
    page.parameters.parametersJson = '{"bright": {"steps": 20, "pause": 0.05}}'
    ui.segmentButton.click()
    bright.until(lambda: page.result.answer.proposal.provenance.parameters["done"] == 20)
    kinds = begun(bright)

    def stop(_report: Any) -> None:
        """At once, however late the news comes."""
        if ui.segmentButton.text == "Stop":
            ui.segmentButton.click()

    page.outliner.progressed.connect(stop)
    slider.value = 0.5
    bright.until(lambda: bright.status == "Stopped.")
    page.outliner.progressed.disconnect(stop)
    assert gain(bright) == 1.0
    page.refresh()
    bright.settle(0.1)
    assert kinds == ["again"]
    slider.value = 0.6
    bright.until(lambda: gain(bright) == 0.6)


def test_a_value_changed_during_a_run_is_asked_for_after_it(bright: Any) -> None:
    bright.page.parameters.parametersJson = '{"bright": {"pause": 0.3}}'
    kinds = begun(bright)
    bright.ui.segmentButton.click()
    bright.page.settingsSection.parameters.widgets["gain"].value = 0.5
    bright.until(lambda: bright.page.result.shown is not None)
    bright.until(lambda: gain(bright) == 0.5)
    assert kinds == ["propose", "again"]


def test_an_overlay_shows_what_the_new_outline_says(bright: Any) -> None:
    import slicer

    slider = segmented(bright)
    combo = bright.page.result.ui.overlayCombo
    combo.setCurrentIndex(combo.findData("probability"))
    shown = bright.page.result._overlays._overlay
    before = slicer.util.arrayFromVolume(shown).mean()
    slider.value = 0.5
    bright.until(lambda: gain(bright) == 0.5)
    assert combo.itemData(combo.currentIndex) == "probability"
    after = slicer.util.arrayFromVolume(bright.page.result._overlays._overlay).mean()
    assert after == pytest.approx(before / 2, rel=0.02)


def test_a_method_without_live_parameters_shows_no_slider(opened: Any) -> None:
    opened.ready()
    results = opened.finished()
    opened.ui.segmentButton.click()
    opened.until(lambda: results and opened.page.result.shown)
    assert opened.page.live.form.widgets == {}
    assert not opened.page.result.ui.liveParametersWidget.isVisibleTo(opened.module.frame)
