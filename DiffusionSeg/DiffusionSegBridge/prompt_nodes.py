"""The markups nodes that hold the prompt, and how they look."""

from __future__ import annotations

from collections.abc import Iterable

from DiffusionSegBridge.nodes import Node, Scene, currentScene
from DiffusionSegLib.nouns.prompt import Box

__all__ = [
    "createBox",
    "createExcludePoints",
    "createIncludePoints",
    "createRegion",
    "currentSliceRegion",
    "setShown",
]


def createIncludePoints(scene: Scene = None) -> Node:
    """A list of points that belong to the outline: green, locked against accidental drags."""
    return currentScene(scene).AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "Include")


def createExcludePoints(scene: Scene = None) -> Node:
    """A list of points that do not belong to the outline: red, locked."""
    return currentScene(scene).AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "Exclude")


def createBox(scene: Scene = None) -> Node:
    """An ROI node around the thing to outline; it can be turned."""
    return currentScene(scene).AddNewNodeByClass("vtkMRMLMarkupsROINode", "Box")


def createRegion(scene: Scene = None) -> Node:
    """An ROI node that limits the search."""
    return currentScene(scene).AddNewNodeByClass("vtkMRMLMarkupsROINode", "Region")


def setShown(nodes: Iterable[Node], shown: bool) -> None:
    """Show or hide prompts in all views; None among the nodes is passed over."""
    for node in nodes:
        if node is not None:
            node.CreateDefaultDisplayNodes()
            node.SetDisplayVisibility(shown)


def currentSliceRegion(volumeNode: Node, sliceNode: Node) -> Box:
    """The layer of voxels that a slice view shows, as wide as the volume.

    Raises PromptError when the slice does not cut the volume.
    """
    raise NotImplementedError
