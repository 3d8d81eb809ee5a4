"""Whatever happens while it runs, Slicer and the page stay whole."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest


def test_stop(opened: Any) -> None:
    opened.ready()
    results = opened.finished()
    opened.startLong()
    opened.ui.segmentButton.click()
    assert not opened.page.outliner.isBusy
    assert opened.ui.segmentButton.text == "Segment"
    assert opened.status == "Stopped."
    assert opened.page.link.client.tickets[-1].state == "cancelled", "the worker is free again"
    opened.settle(0.3)
    assert results == []


def test_a_killed_worker_is_a_sentence_and_the_next_run_works(opened: Any) -> None:
    opened.ready()
    results = opened.finished()
    opened.startLong()
    before = opened.page.link.client.restarts
    os.kill(opened.page.link.hello.pid, signal.SIGKILL)
    opened.until(lambda: not opened.page.outliner.isBusy)
    assert opened.status.endswith(".")
    assert "worker" in opened.status.lower()
    assert opened.ui.segmentButton.text == "Segment"
    opened.page.parameters.samples = 1
    opened.ui.segmentButton.click()
    opened.until(lambda: results)
    assert opened.page.link.client.restarts == before + 1


def test_the_worker_is_changed(opened: Any) -> None:
    opened.ready()
    results = opened.finished()
    opened.startLong()
    opened.ui.workerEdit.text = "/no/such/python"
    opened.ui.workerEdit.editingFinished.emit()
    assert not opened.page.outliner.isBusy
    assert results == []
    opened.until(lambda: opened.page.notice.text)
    opened.ui.workerEdit.text = ""
    opened.ui.workerEdit.editingFinished.emit()
    opened.until(lambda: opened.ui.segmentButton.enabled)


def test_the_scene_is_closed(opened: Any, scene: Any) -> None:
    opened.ready()
    results = opened.finished()
    opened.startLong()
    scene.Clear(0)
    assert not opened.page.outliner.isBusy
    assert opened.page.parameters is not None
    assert opened.page.parameters.inputVolume is None
    assert not opened.ui.segmentButton.enabled
    opened.settle(0.3)
    assert results == []
    opened.load()
    assert opened.ui.segmentButton.enabled


def test_the_volume_is_deleted(opened: Any, scene: Any) -> None:
    volume = opened.ready()
    results = opened.finished()
    opened.startLong()
    scene.RemoveNode(volume)
    opened.until(lambda: not opened.page.outliner.isBusy)
    assert results == []
    assert opened.status == "The volume is gone, so the outline was stopped."
    assert not opened.ui.segmentButton.enabled


def test_the_module_is_reloaded(opened: Any, scene: Any) -> None:
    volume = opened.ready()
    opened.startLong()
    old, observers = opened.page, observer_count(scene)
    opened.module.reload()
    assert opened.page is not old
    assert not old.outliner.isBusy
    assert not old.timer.active
    assert not old.Observations
    assert observer_count(scene) <= observers
    assert opened.page.parameters.inputVolume is volume
    opened.until(lambda: opened.ui.segmentButton.enabled)


def test_slicer_quits(opened: Any) -> None:
    import slicer

    opened.ready()
    opened.startLong()
    page = opened.page
    slicer.app.aboutToQuit.emit()
    assert not page.outliner.isBusy
    assert page.link.client is None
    page.cleanup()  # Slicer calls it too


def test_the_module_is_left_and_the_job_goes_on(opened: Any) -> None:
    opened.ready()
    results = opened.finished()
    opened.ui.segmentButton.click()
    opened.module.exit()
    opened.until(lambda: results)
    opened.until(lambda: not opened.page.timer.active)
    opened.module.enter()
    assert opened.page.timer.active


def test_a_newer_run_takes_the_place_of_an_older_one(opened: Any) -> None:
    opened.ready()
    results = opened.finished()
    opened.startLong()
    opened.page.parameters.samples = 1
    opened.page.segment()
    opened.until(lambda: results)
    opened.settle(0.2)
    assert len(results) == 1
    assert results[0].setup.samples == 1


def observer_count(scene: Any) -> int:
    """Observers of the scene that Python knows of."""
    return sum(scene.HasObserver(event) for event in (scene.StartCloseEvent, scene.EndCloseEvent))


@pytest.mark.parametrize("times", [3])
def test_entering_and_leaving_can_be_repeated(opened: Any, times: int) -> None:
    opened.ready()
    keys = opened.page.shortcuts.keys
    for _ in range(times):
        opened.module.exit()
        assert opened.page.shortcuts.keys == []
        opened.module.enter()
    assert opened.page.shortcuts.keys == keys
