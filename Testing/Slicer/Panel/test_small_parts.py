"""Parts that need no page: signal, words, choice, box."""

from __future__ import annotations

from typing import Any

import pytest


def test_a_signal_goes_on_after_a_receiver_that_raises(
    scene: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    from DiffusionSegPanel.plain_signal import Signal

    reported: list[Any] = []
    monkeypatch.setattr(sys, "excepthook", lambda *error: reported.append(error[1]))
    signal, got = Signal(), []
    signal.connect(lambda _: 1 / 0)
    signal.connect(got.append)
    signal.connect(got.append)
    signal.emit(3)
    assert got == [3]
    assert isinstance(reported[0], ZeroDivisionError)
    signal.disconnect(got.append)
    signal.disconnect(got.append)
    signal.emit(4)
    assert got == [3]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "1 s"),
        (3.2, "4 s"),
        (11, "about 15 s"),
        (89, "about 90 s"),
        (100, "about 2 min"),
        (5399, "about 90 min"),
        (6000, "about 2.0 h"),
    ],
)
def test_durations(scene: Any, seconds: float, words: str) -> None:
    from DiffusionSegPanel.words import durationInWords

    assert durationInWords(seconds) == words


@pytest.mark.parametrize(
    ("fraction", "remaining", "words"),
    [
        (0.0, None, "Drawing: 0 %"),
        (0.439, 4.4, "Drawing: 43 %, 5 s left"),
        (1.0, 0.0, "Drawing: 100 %"),
    ],
)
def test_progress(scene: Any, fraction: float, remaining: float | None, words: str) -> None:
    from DiffusionSegLib.worker.answers import WorkerProgress
    from DiffusionSegPanel.words import progressInWords

    assert progressInWords(WorkerProgress(fraction, "Drawing", 1.0, remaining)) == words


def test_nothing_is_chosen_from_nothing(scene: Any) -> None:
    from DiffusionSegPanel.choice import chosen
    from DiffusionSegPanel.readiness import whyNotReady

    choice = chosen(None, "cdal", "")
    assert (choice.method, choice.model, choice.inputs) == (None, None, ())
    assert choice.prompts == {"region"}
    assert whyNotReady(None, choice, [None, None]) == "Waiting for the worker."


def test_a_box_far_from_the_view_is_put_into_the_volume(scene: Any) -> None:
    import numpy as np
    import slicer

    from DiffusionSegPanel.default_box import putBox

    volume = slicer.util.addVolumeFromArray(np.zeros((10, 20, 30), np.uint8))
    sliceNode = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode()
    roi = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode")
    for position in ((1000.0, 0.0, 0.0), (29.0, 19.0, 9.0), (15.0, 10.0, 5.0)):
        sliceNode.JumpSliceByCentering(*position)
        putBox(roi, volume, sliceNode, 0.5)
        bounds, box = [0.0] * 6, [0.0] * 6
        volume.GetRASBounds(bounds)
        roi.GetRASBounds(box)
        for axis in range(3):
            assert bounds[2 * axis] - 0.01 <= box[2 * axis]
            assert box[2 * axis + 1] <= bounds[2 * axis + 1] + 0.01


def test_who_is_disconnected_meanwhile_is_not_called(scene: Any) -> None:
    from DiffusionSegPanel.plain_signal import Signal

    signal, got = Signal(), []
    signal.connect(lambda _value: signal.disconnect(got.append))
    signal.connect(got.append)
    signal.emit(1)
    assert got == []
