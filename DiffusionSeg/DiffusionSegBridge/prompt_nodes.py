"""The markups nodes that hold the prompt, and how they look."""

from __future__ import annotations

from collections.abc import Iterable

from DiffusionSegBridge.nodes import Node, Scene, currentScene
from DiffusionSegBridge.prompts import ROLE
from DiffusionSegBridge.slice_region import currentSliceRegion
from DiffusionSegLib.nouns.label import Color

__all__ = [
    "createBox",
    "createExcludePoints",
    "createIncludePoints",
    "createRegion",
    "currentSliceRegion",
    "setShown",
]

_GREEN: Color = (0.0, 0.75, 0.3)
_RED: Color = (0.9, 0.15, 0.1)
_BLUE: Color = (0.34, 0.71, 0.91)
_GLYPH_SCALE = 2.0


def createIncludePoints(scene: Scene = None) -> Node:
    """A list of points that belong to the outline: green, locked so that a click beside one
    places another instead of dragging it."""
    return _points(scene, "Include", "include", _GREEN, "Sphere3D")


def createExcludePoints(scene: Scene = None) -> Node:
    """A list of points that do not belong to the outline: red crosses, locked."""
    # The shape tells them apart for whoever does not see red and green.
    return _points(scene, "Exclude", "exclude", _RED, "Cross2D")


def createBox(scene: Scene = None) -> Node:
    """An ROI node around the thing to outline; it can be turned."""
    return _roi(scene, "Box", "box", _GREEN)


def createRegion(scene: Scene = None) -> Node:
    """An ROI node that limits the search."""
    return _roi(scene, "Region", "region", _BLUE)


def setShown(nodes: Iterable[Node], shown: bool) -> None:
    """Show or hide prompts in all views; None among the nodes is passed over."""
    for node in nodes:
        if node is not None:
            node.CreateDefaultDisplayNodes()
            node.SetDisplayVisibility(shown)


def _points(scene: Scene, name: str, role: str, color: Color, glyph: str) -> Node:
    node = _markups(scene, "vtkMRMLMarkupsFiducialNode", name, role, color)
    node.SetControlPointLabelFormat(f"{name} %d")
    node.SetLocked(True)
    display = node.GetDisplayNode()
    display.SetGlyphType(getattr(display, glyph))
    display.SetUseGlyphScale(True)
    display.SetGlyphScale(_GLYPH_SCALE)
    return node


def _roi(scene: Scene, name: str, role: str, color: Color) -> Node:
    node = _markups(scene, "vtkMRMLMarkupsROINode", name, role, color)
    display = node.GetDisplayNode()
    display.SetFillVisibility(False)  # the image stays readable inside
    display.SetHandlesInteractive(True)
    for handle in ("Rotation", "Translation", "Scale"):
        getattr(display, f"Set{handle}HandleVisibility")(True)
    return node


def _markups(scene: Scene, kind: str, name: str, role: str, color: Color) -> Node:
    target = currentScene(scene)
    node = target.AddNewNodeByClass(kind, target.GenerateUniqueName(name))
    node.SetAttribute(ROLE, role)
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    for choose in (display.SetColor, display.SetSelectedColor, display.SetActiveColor):
        choose(*color)
    display.SetPointLabelsVisibility(False)
    display.SetPropertiesLabelVisibility(False)
    return node
