"""Markups and segments to a prompt, in world RAS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from DiffusionSegBridge.nodes import Node
from DiffusionSegLib.nouns.prompt import Box, Point, Prompt

__all__ = ["Scribbles", "boxFromRoi", "promptFromNodes"]


@dataclass(frozen=True)
class Scribbles:
    """Segments used as paint: what belongs to the outline, and what does not."""

    segmentationNode: Node
    includeSegmentId: str | None
    excludeSegmentId: str | None = None


def promptFromNodes(
    text: str = "",
    includePoints: Node = None,
    excludePoints: Node = None,
    boxes: Sequence[Node] = (),
    curves: Sequence[Node] = (),
    scribbles: Scribbles | None = None,
    region: Node | Box | None = None,
    volumeNode: Node = None,
) -> Prompt:
    """What the nodes ask for. Missing nodes (None) and points not yet placed are left out.

    Points are markups nodes; `boxes` are ROI nodes; `region` is an ROI node or a Box. With a
    `volumeNode`, whatever lies outside it raises PromptError.
    """
    points = [*_points(includePoints, True), *_points(excludePoints, False)]
    return Prompt(text=text, points=tuple(points))


def boxFromRoi(roiNode: Node) -> Box | None:
    """The box of an ROI node in world RAS; None when it is not placed yet."""
    raise NotImplementedError


def _points(node: Node, include: bool) -> list[Point]:
    if node is None:
        return []
    found = []
    for index in range(node.GetNumberOfControlPoints()):
        if node.GetNthControlPointPositionStatus(index) == node.PositionDefined:
            position = [0.0, 0.0, 0.0]
            node.GetNthControlPointPositionWorld(index, position)
            found.append(Point((position[0], position[1], position[2]), include))
    return found
