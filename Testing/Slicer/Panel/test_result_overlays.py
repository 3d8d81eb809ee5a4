"""Overlays lie over the image while they are wanted, and the views come back as they were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from DiffusionSegBridge.overlays import OVERLAY
from DiffusionSegBridge.volumes import worldGeometry
from DiffusionSegLib.nouns.image import Image
from Testing.Slicer.Bridge.results import ball
from Testing.Slicer.Panel.toy_results import arrive, toyVolume


def views() -> list[Any]:
    """The composite nodes of Red and Yellow."""
    import slicer

    manager = slicer.app.layoutManager()
    logics = [manager.sliceWidget(name).sliceLogic() for name in ("Red", "Yellow")]
    return [logic.GetSliceCompositeNode() for logic in logics]


def overlays(scene: Any) -> list[Any]:
    import slicer

    nodes = slicer.util.getNodesByClass("vtkMRMLVolumeNode")
    return [node for node in nodes if node.GetAttribute(OVERLAY)]


def explained(opened: Any, scene: Any) -> Any:
    """A result with uncertainty and an auxiliary image on a coarse grid; returns its volume."""
    node = toyVolume(opened, scene)
    coarse = worldGeometry(node).with_shape((5, 7, 8))
    doubt = Image(0.3 * ball((5, 7, 8))[np.newaxis], coarse)
    healthy = Image(np.full((1, 5, 7, 8), 7.0, np.float32), coarse)
    arrive(
        opened,
        node,
        ball((5, 7, 8))[np.newaxis],
        uncertainty=doubt,
        auxiliary={"pseudo-healthy": healthy},
    )
    return node


def compared(opened: Any, scene: Any) -> Any:
    """A result as DiffuGTS gives it: a map, a twin and a difference on its working grid."""
    node = toyVolume(opened, scene)
    node.GetDisplayNode().AutoWindowLevelOff()
    node.GetDisplayNode().SetWindowLevelMinMax(-160.0, 240.0)
    grid = worldGeometry(node).with_shape((9, 12, 13))
    shape = grid.shape_kji
    there = ball(shape)[np.newaxis]
    auxiliary = {
        "anomaly map": Image(0.9 * there, grid),
        "pseudo-healthy": Image(40 - 1000 * (1 - there), grid),
        "difference": Image(np.where(there > 0.5, 80 * there, -20 * there), grid),
    }
    arrive(opened, node, there, auxiliary=auxiliary)
    return node


def choose(opened: Any, text: str) -> None:
    combo = opened.page.result.ui.overlayCombo
    index = combo.findText(text)
    assert index >= 0
    combo.setCurrentIndex(index)


def test_one_at_a_time_with_opacity_and_gone_after_none(opened: Any, scene: Any) -> None:
    red, yellow = views()
    node = explained(opened, scene)
    other = toyVolume(opened, scene)
    for view in (red, yellow):
        view.SetBackgroundVolumeID(node.GetID())
        view.SetForegroundVolumeID(other.GetID())
        view.SetForegroundOpacity(0.2)
    assert not overlays(scene)
    choose(opened, "Probability")
    (shown,) = overlays(scene)
    assert shown.GetName() == "CT probability"
    # On the method's own grid: the views interpolate it.
    assert shown.GetImageData().GetDimensions() == (8, 7, 5)
    assert red.GetForegroundVolumeID() == yellow.GetForegroundVolumeID() == shown.GetID()
    opened.page.result.ui.overlayOpacitySlider.value = 80
    assert red.GetForegroundOpacity() == pytest.approx(0.8)
    choose(opened, "Uncertainty")
    (shown,) = overlays(scene)
    assert shown.GetName() == "CT uncertainty"
    assert red.GetForegroundVolumeID() == shown.GetID()
    choose(opened, "None")
    assert not overlays(scene)
    for view in (red, yellow):
        assert view.GetForegroundVolumeID() == other.GetID()
        assert view.GetForegroundOpacity() == pytest.approx(0.2)


@pytest.mark.parametrize("leave", ["module", "accept", "discard", "next result"])
def test_leaving_in_any_way_puts_the_views_back(opened: Any, scene: Any, leave: str) -> None:
    red, _yellow = views()
    node = explained(opened, scene)
    red.SetBackgroundVolumeID(node.GetID())
    red.SetForegroundVolumeID(None)
    choose(opened, "Probability")
    ui = opened.page.result.ui
    if leave == "module":
        opened.widget.exit()
    elif leave == "next result":
        arrive(opened, node)
    else:
        getattr(ui, f"{leave}Button").click()
    assert not overlays(scene)
    assert red.GetForegroundVolumeID() is None
    assert red.GetBackgroundVolumeID() == node.GetID()
    if leave == "module":
        opened.widget.enter()
        assert ui.overlayCombo.currentText == "None"


def test_side_by_side(opened: Any, scene: Any) -> None:
    red, yellow = views()
    node = explained(opened, scene)
    for view in (red, yellow):
        view.SetBackgroundVolumeID(node.GetID())
    ui = opened.page.result.ui
    assert not ui.sideBySideBox.isVisibleTo(ui.overlayRow)
    choose(opened, "pseudo-healthy")
    assert ui.sideBySideBox.isVisibleTo(ui.overlayRow)
    (shown,) = overlays(scene)
    assert red.GetForegroundVolumeID() == shown.GetID()
    ui.sideBySideBox.checked = True
    assert red.GetForegroundVolumeID() is None
    assert red.GetBackgroundVolumeID() == node.GetID()
    assert yellow.GetBackgroundVolumeID() == shown.GetID()
    choose(opened, "None")
    assert yellow.GetBackgroundVolumeID() == node.GetID()
    choose(opened, "pseudo-healthy")
    opened.widget.exit()
    assert yellow.GetBackgroundVolumeID() == node.GetID()
    assert not overlays(scene)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("anomaly map", 0, 1), ("pseudo-healthy", -160, 240), ("difference", -80, 80)],
)
def test_what_explains_a_result_over_the_image_and_beside_it(
    opened: Any, scene: Any, name: str, low: float, high: float
) -> None:
    red, yellow = views()
    node = compared(opened, scene)
    for view in (red, yellow):
        view.SetBackgroundVolumeID(node.GetID())
    combo = opened.page.result.ui.overlayCombo
    offered = [combo.itemText(index) for index in range(combo.count)]
    assert offered == ["None", "Probability", "anomaly map", "pseudo-healthy", "difference"]
    choose(opened, name)
    (shown,) = overlays(scene)
    assert shown.GetName() == f"CT {name}"
    # On the grid of the method, and where the volume is.
    assert shown.GetImageData().GetDimensions() == (13, 12, 9)
    middle = [sum(pair) / 2 for pair in bounds(shown)]
    assert middle == pytest.approx([sum(pair) / 2 for pair in bounds(node)], abs=0.01)
    display = shown.GetDisplayNode()
    found = (display.GetWindowLevelMin(), display.GetWindowLevelMax())
    assert found == pytest.approx((low, high), rel=0.1, abs=1e-6)
    assert red.GetForegroundVolumeID() == yellow.GetForegroundVolumeID() == shown.GetID()
    opened.page.result.ui.sideBySideBox.checked = True
    assert red.GetForegroundVolumeID() is None
    assert red.GetBackgroundVolumeID() == node.GetID()
    assert yellow.GetBackgroundVolumeID() == shown.GetID()
    choose(opened, "None")
    assert yellow.GetBackgroundVolumeID() == node.GetID()
    assert not overlays(scene)


def test_from_one_to_the_next_beside_the_image(opened: Any, scene: Any) -> None:
    red, yellow = views()
    node = compared(opened, scene)
    for view in (red, yellow):
        view.SetBackgroundVolumeID(node.GetID())
    choose(opened, "anomaly map")
    opened.page.result.ui.sideBySideBox.checked = True
    for name in ("pseudo-healthy", "difference", "anomaly map"):
        choose(opened, name)
        (shown,) = overlays(scene)
        assert yellow.GetBackgroundVolumeID() == shown.GetID()
        assert shown.GetName() == f"CT {name}"
        assert red.GetBackgroundVolumeID() == node.GetID()
        assert red.GetForegroundVolumeID() is None


def bounds(node: Any) -> list[tuple[float, float]]:
    found = [0.0] * 6
    node.GetRASBounds(found)
    return [(found[0], found[1]), (found[2], found[3]), (found[4], found[5])]


def test_only_what_the_method_gives_is_offered(opened: Any, scene: Any) -> None:
    arrive(opened, toyVolume(opened, scene))
    combo = opened.page.result.ui.overlayCombo
    assert [combo.itemText(index) for index in range(combo.count)] == ["None", "Probability"]
