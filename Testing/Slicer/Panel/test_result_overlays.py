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


def test_only_what_the_method_gives_is_offered(opened: Any, scene: Any) -> None:
    arrive(opened, toyVolume(opened, scene))
    combo = opened.page.result.ui.overlayCombo
    assert [combo.itemText(index) for index in range(combo.count)] == ["None", "Probability"]
