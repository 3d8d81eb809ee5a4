"""Probability, uncertainty and auxiliary images as volumes to lay over the image.

They belong to a result that is looked at, not to the study: they are marked with an attribute, are
not saved with the scene, and go together.
"""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray

from DiffusionSegBridge.nodes import Node, Scene, currentScene, nodeName
from DiffusionSegBridge.transforms import matrixFromArray, worldMatrix
from DiffusionSegBridge.volumes import volumeFromImage
from DiffusionSegLib.errors import unknown_name
from DiffusionSegLib.nouns.explaining import Explains, explains
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.label import Color
from DiffusionSegLib.nouns.proposal import Proposal

__all__ = [
    "OVERLAY",
    "auxiliaryVolume",
    "probabilityVolume",
    "removeOverlays",
    "shown",
    "uncertaintyVolume",
]

OVERLAY = "DiffusionSeg.Overlay"
_BEFORE = "DiffusionSeg.Overlay.Before"
_COLORS = 256
_CLEAR_BELOW = 0.05
_OPACITY = 0.5
# From dark to light, so that they read in grey and with any colour vision.
_PROBABILITY: tuple[Color, ...] = ((0.3, 0.0, 0.4), (0.85, 0.2, 0.3), (1.0, 0.9, 0.2))
_UNCERTAINTY: tuple[Color, ...] = ((0.0, 0.1, 0.3), (0.0, 0.55, 0.65), (0.85, 1.0, 0.9))
# Blue below zero and orange above, dark between: the views are black where nothing is drawn.
_DIFFERENCE: tuple[Color, ...] = (
    (0.55, 0.85, 1.0), (0.1, 0.4, 0.9), (0.05, 0.05, 0.05), (0.85, 0.3, 0.05), (1.0, 0.85, 0.45)
)  # fmt: skip
_FULL_COLOR = 99.0  # percentile of what differs that takes the lightest color


def probabilityVolume(proposal: Proposal, volumeNode: Node) -> Node:
    """A scalar volume in [0, 1]: the probability of all labels together, clear below 0.05."""
    image = proposal.probability
    total = image.array.sum(axis=0, keepdims=True, dtype=np.float32).clip(0.0, 1.0)
    together = Image(total, proposal.geometry, dimension=image.dimension)
    node = _overlay(together, f"{nodeName(volumeNode)} probability", volumeNode)
    _color(node, _PROBABILITY, 1.0)
    return node


def uncertaintyVolume(proposal: Proposal, volumeNode: Node) -> Node | None:
    """A scalar volume of the spread between what was drawn; None when the method gives none."""
    image = proposal.uncertainty
    if image is None:
        return None
    node = _overlay(image, f"{nodeName(volumeNode)} uncertainty", volumeNode)
    _color(node, _UNCERTAINTY, float(image.array.max()) or 1.0)
    return node


def auxiliaryVolume(proposal: Proposal, name: str, volumeNode: Node) -> Node:
    """A volume of one of `proposal.auxiliary` on its own grid; raises UnknownNameError.

    Colours are for what its name says it is (see `explains`): a fraction looks like a probability,
    a twin like the volume itself, a difference is blue below zero, orange above, clear around it.
    """
    if name not in proposal.auxiliary:
        raise unknown_name("auxiliary image", name, proposal.auxiliary)
    image = proposal.auxiliary[name]
    node = _overlay(image, f"{nodeName(volumeNode)} {name}", volumeNode)
    kind = explains(name) if len(image.array) == 1 else Explains.OTHER
    if kind is Explains.FRACTION:
        _color(node, _PROBABILITY, 1.0)
    elif kind is Explains.SIGNED:
        _colorBothWays(node, _DIFFERENCE, _reach(image))
    else:
        node.CreateDefaultDisplayNodes()
        if kind is Explains.TWIN:
            _showAlike(node, volumeNode)
    return node


def shown(node: Node, visible: bool) -> None:
    """Lay an overlay over all slice views, or take it away and put back what was there."""
    for composite in _composites(node.GetScene()):
        showing = composite.GetForegroundVolumeID() == node.GetID()
        if visible and not showing:
            _remember(node, composite)
            composite.SetForegroundVolumeID(node.GetID())
            composite.SetForegroundOpacity(_OPACITY)
        elif showing and not visible:
            _putBack(node, composite)


def removeOverlays(scene: Scene = None) -> None:
    """Remove all overlays with their colour tables and display nodes; put back what they hid."""
    target = currentScene(scene)
    nodes = target.GetNodes()
    every = [nodes.GetItemAsObject(index) for index in range(nodes.GetNumberOfItems())]
    marked = [node for node in every if node.GetAttribute(OVERLAY)]
    for node in marked:
        if node.IsA("vtkMRMLVolumeNode"):
            shown(node, False)
            for index in reversed(range(node.GetNumberOfDisplayNodes())):
                target.RemoveNode(node.GetNthDisplayNode(index))
        target.RemoveNode(node)


def _overlay(image: Image, name: str, volumeNode: Node) -> Node:
    """A volume of the image that moves with `volumeNode`."""
    local = np.linalg.inv(worldMatrix(volumeNode)) @ image.geometry.ijk_to_ras
    node = volumeFromImage(image, name, volumeNode.GetScene())
    node.SetIJKToRASMatrix(matrixFromArray(local))
    node.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID())
    node.SetAttribute(OVERLAY, volumeNode.GetID())
    node.SetSaveWithScene(False)
    return node


def _color(node: Node, ramp: tuple[Color, ...], highest: float) -> None:
    """Colours over 0 to `highest`; nothing is drawn in the lowest twentieth."""
    clear = np.linspace(0.0, 1.0, _COLORS) < _CLEAR_BELOW
    display = _window(node, ramp, clear, 0.0, highest)
    display.SetThreshold(_CLEAR_BELOW * highest, highest)
    display.ApplyThresholdOn()


def _colorBothWays(node: Node, ramp: tuple[Color, ...], reach: float) -> None:
    """Colours over -`reach` to `reach`; nothing is drawn within a twentieth of it around 0."""
    clear = np.abs(np.linspace(-1.0, 1.0, _COLORS)) < _CLEAR_BELOW
    _window(node, ramp, clear, -reach, reach)


def _reach(image: Image) -> float:
    size = np.abs(image.array[image.array != 0])
    return float(np.percentile(size, _FULL_COLOR)) if size.size else 1.0


def _showAlike(node: Node, volumeNode: Node) -> None:
    """Dark and bright mean the same in both, so that the eye can compare them."""
    display, model = node.GetDisplayNode(), volumeNode.GetDisplayNode()
    if model is None or not model.IsA("vtkMRMLScalarVolumeDisplayNode"):
        return
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(model.GetWindowLevelMin(), model.GetWindowLevelMax())
    display.SetAndObserveColorNodeID(model.GetColorNodeID())


def _window(
    node: Node, ramp: tuple[Color, ...], clear: NDArray[np.bool_], low: float, high: float
) -> Node:
    """The display node, with colours from `low` to `high`."""
    table = _colorTable(node, ramp, clear)
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(low, high)
    display.SetAndObserveColorNodeID(table.GetID())
    display.SetSaveWithScene(False)
    return display


def _colorTable(node: Node, ramp: tuple[Color, ...], clear: NDArray[np.bool_]) -> Node:
    table = node.GetScene().AddNewNodeByClass("vtkMRMLColorTableNode", f"{node.GetName()} colors")
    table.SetTypeToUser()
    table.SetNumberOfColors(_COLORS)
    stops = np.linspace(0.0, 1.0, len(ramp))
    for index in range(_COLORS):
        place = index / (_COLORS - 1)
        red, green, blue = (
            float(np.interp(place, stops, part)) for part in zip(*ramp, strict=True)
        )
        table.SetColor(index, f"{place:.2f}", red, green, blue, float(not clear[index]))
    table.SetAttribute(OVERLAY, node.GetID())
    table.SetHideFromEditors(True)
    table.SetSaveWithScene(False)
    return table


def _composites(scene: Scene) -> list[Node]:
    kind = "vtkMRMLSliceCompositeNode"
    return [scene.GetNthNodeByClass(n, kind) for n in range(scene.GetNumberOfNodesByClass(kind))]


def _remember(node: Node, composite: Node) -> None:
    """What lay there before; when that is an overlay too, what lay there before it."""
    earlier = composite.GetForegroundVolumeID()
    under = node.GetScene().GetNodeByID(earlier) if earlier else None
    what = [earlier, composite.GetForegroundOpacity()]
    if under is not None and under.GetAttribute(OVERLAY):
        what = _known(under).get(composite.GetID(), [None, 0.0])
    node.SetAttribute(_BEFORE, json.dumps({**_known(node), composite.GetID(): what}))


def _putBack(node: Node, composite: Node) -> None:
    earlier, opacity = _known(node).get(composite.GetID(), [None, 0.0])
    there = earlier is not None and node.GetScene().GetNodeByID(earlier) is not None
    composite.SetForegroundVolumeID(earlier if there else None)
    composite.SetForegroundOpacity(opacity)


def _known(node: Node) -> dict[str, list[str | float | None]]:
    found: dict[str, list[str | float | None]] = json.loads(node.GetAttribute(_BEFORE) or "{}")
    return found
