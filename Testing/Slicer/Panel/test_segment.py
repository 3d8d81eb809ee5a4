"""Segment with the real worker on a real image."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from Testing.Slicer.Panel.conftest import HIPPOCAMPUS


def truth() -> np.ndarray:
    from DiffusionSegLib.nouns.mask import Mask

    return Mask.read(HIPPOCAMPUS / "labels" / "hippocampus_033.nii.gz").array


def dice(first: np.ndarray, second: np.ndarray) -> float:
    return float(2 * (first & second).sum() / (first.sum() + second.sum()))


def test_a_sample_is_outlined(opened: Any) -> None:
    volume = opened.ready()
    results, ui = opened.finished(), opened.ui
    texts: list[str] = []
    opened.page.outliner.progressed.connect(lambda _: texts.append(ui.statusLabel.text))
    ui.segmentButton.click()
    assert ui.segmentButton.text == "Stop"
    assert ui.segmentButton.enabled
    assert ui.stopHereButton.enabled
    assert ui.stopHereButton.isVisibleTo(opened.module.frame)
    assert opened.page.outliner.isBusy
    opened.until(lambda: results)
    result = results[0]
    assert result.volumeNodeId == volume.GetID()
    assert result.kind == "propose"
    assert dice(result.proposal.mask().array > 0, truth() > 0) > 0.75
    assert ui.segmentButton.text == "Segment"
    assert not ui.progressBar.isVisibleTo(opened.module.frame)
    assert not ui.stopHereButton.isVisibleTo(opened.module.frame)
    assert any("%" in text for text in texts)
    assert opened.status
    assert narrowest(opened.module.frame) <= 420, "pixels; a narrow module panel"


def narrowest(widget: Any) -> int:
    """The width below which something is cut off."""
    widget.show()
    return int(type(widget).minimumSizeHint(widget).width())


def test_good_enough_ends_with_what_there_is(opened: Any) -> None:
    opened.ready()
    results = opened.finished()
    opened.startLong()
    opened.until(lambda: opened.ui.progressBar.value >= 4)  # of 1000: two of 500 samples are done
    opened.ui.stopHereButton.click()
    assert not opened.ui.stopHereButton.enabled
    opened.until(lambda: results)
    assert not results[0].proposal.mask().is_empty


def test_a_preview_comes_while_it_runs(opened: Any) -> None:
    opened.ready()
    previews: list[Any] = []
    opened.page.outliner.previewed.connect(previews.append)
    opened.startLong()
    opened.until(lambda: previews)
    assert previews[0].probability.array.max() > 0
    opened.ui.segmentButton.click()


def test_the_cost_is_said_before(opened: Any) -> None:
    opened.ready()
    opened.until(lambda: opened.status)
    assert "s" in opened.status
    said = opened.status
    opened.page.parameters.seed = 5
    assert opened.status != said


def test_the_same_prompts_run_on_another_volume(opened: Any) -> None:
    first = opened.ready()
    results = opened.finished()
    opened.ui.segmentButton.click()
    opened.until(lambda: results)
    said = opened.status
    second = opened.load("hippocampus_039")
    assert said
    assert opened.status != said, "that was about the other volume"
    opened.ui.segmentButton.click()
    opened.until(lambda: len(results) == 2)
    assert [result.volumeNodeId for result in results] == [first.GetID(), second.GetID()]


def test_a_mark_outside_the_volume_is_a_sentence(opened: Any, scene: Any) -> None:
    opened.ready()
    points = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode")
    points.AddControlPoint(5000.0, 0.0, 0.0)
    opened.page.parameters.includePoints = points
    opened.ui.segmentButton.click()
    assert not opened.page.outliner.isBusy
    assert "lies outside" in opened.status


def test_a_volume_under_a_warp_is_a_sentence(opened: Any, scene: Any) -> None:
    import vtk

    volume = opened.ready()
    warp = scene.AddNewNodeByClass("vtkMRMLTransformNode", "Warp")
    spline = vtk.vtkThinPlateSplineTransform()
    places = vtk.vtkPoints()
    for place in ((0, 0, 0), (10, 0, 0), (0, 10, 0), (0, 0, 10)):
        places.InsertNextPoint(place)
    spline.SetSourceLandmarks(places)
    spline.SetTargetLandmarks(places)
    warp.SetAndObserveTransformToParent(spline)
    volume.SetAndObserveTransformNodeID(warp.GetID())
    opened.page.refresh()
    opened.ui.segmentButton.click()
    assert not opened.page.outliner.isBusy
    assert "harden" in opened.status.lower()
    volume.SetAndObserveTransformNodeID(None)
    opened.ui.segmentButton.click()
    assert opened.page.outliner.isBusy


@pytest.mark.parametrize("seed", [0, 3])
def test_what_is_chosen_reaches_the_worker(opened: Any, seed: int) -> None:
    opened.ready()
    results = opened.finished()
    opened.page.parameters.seed = seed
    opened.page.parameters.parametersJson = '{"cdal": {"brush_mm": 2.5, "unknown": 1}}'
    opened.ui.segmentButton.click()
    opened.until(lambda: results)
    setup = results[0].setup
    assert (setup.method, setup.model, setup.seed, setup.samples) == (
        "cdal",
        "hippocampus",
        seed,
        1,
    )
    assert dict(setup.parameters) == {"brush_mm": 2.5}
    assert results[0].proposal.provenance.seed == seed
