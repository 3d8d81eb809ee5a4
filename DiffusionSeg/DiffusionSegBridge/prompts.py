"""Markups and segments to a prompt, in world RAS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from DiffusionSegBridge.curves import curvePoints
from DiffusionSegBridge.labelmaps import filledBlock
from DiffusionSegBridge.nodes import Node, nodeName
from DiffusionSegBridge.segments import readSegments, segmentGeometry, segmentOf
from DiffusionSegBridge.transforms import arrayFromMatrix
from DiffusionSegBridge.volumes import worldGeometry
from DiffusionSegLib.errors import PromptError
from DiffusionSegLib.nouns.geometry import Geometry, as_direction
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Box, Point, Prompt

__all__ = ["ROLE", "Scribbles", "boxFromRoi", "promptFromNodes"]

# A markups node with this attribute set to "exclude" marks what does not belong.
ROLE = "DiffusionSeg.Role"
_INCLUDE, _EXCLUDE = 1, 2


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
    """What the nodes ask for. Missing nodes (None) and markups not yet placed are left out.

    Points are markups nodes; `boxes` are ROI nodes; `region` is an ROI node or a Box; curves
    become points along the line, see `curves.py`. Markups may be under any transform: what counts
    is where they are shown. With a `volumeNode`, whatever lies outside it raises PromptError, and
    scribbles are taken on its grid. Raises PromptError for scribbles in which nothing is painted.
    """
    geometry = None if volumeNode is None else worldGeometry(volumeNode)
    points = [*_points(includePoints, True), *_points(excludePoints, False)]
    for curve in curves:
        include = curve is not None and curve.GetAttribute(ROLE) != "exclude"
        points += [Point(place, include) for place in curvePoints(curve, geometry)]
    found = [boxFromRoi(node) for node in boxes]
    prompt = Prompt(
        text,
        tuple(points),
        tuple(box for box in found if box is not None),
        None if scribbles is None else _painted(scribbles, geometry),
        region if isinstance(region, Box) else boxFromRoi(region),
    )
    if geometry is not None:
        _requireInside(prompt, geometry)
    return prompt


def boxFromRoi(roiNode: Node) -> Box | None:
    """The box of an ROI node in world RAS, as it is shown; None when it is not placed yet.

    Under a shearing transform Slicer shows, and this returns, the nearest box with right angles.
    """
    if roiNode is None or not roiNode.GetNumberOfDefinedControlPoints():
        return None
    matrix = arrayFromMatrix(roiNode.GetObjectToWorldMatrix())
    lengths = np.linalg.norm(matrix[:3, :3], axis=0)
    sizes = lengths * np.array(roiNode.GetSize())
    if not lengths.all() or (sizes <= 0).sum() > 1:
        raise PromptError(f"The box {nodeName(roiNode)!r} has no size; draw it again.")
    (x, y, z), (width, height, depth) = matrix[:3, 3].tolist(), sizes.tolist()
    return Box((x, y, z), (width, height, depth), as_direction(matrix[:3, :3] / lengths))


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


def _painted(scribbles: Scribbles, geometry: Geometry | None) -> Mask:
    """1 and 2 on the image's grid (else the segment's own), cut to what is painted."""
    node = scribbles.segmentationNode
    wanted = {_INCLUDE: scribbles.includeSegmentId, _EXCLUDE: scribbles.excludeSegmentId}
    chosen = {value: segmentId for value, segmentId in wanted.items() if segmentId}
    for segmentId in chosen.values():
        segmentOf(node, segmentId)
    grids = (segmentGeometry(node, segmentId) for segmentId in chosen.values())
    grid = geometry or next((found for found in grids if found is not None), None)
    mask = None if grid is None else readSegments(node, chosen, grid)
    block = None if mask is None else filledBlock(mask.array)
    if mask is None or block is None:
        raise PromptError(_nothingPainted(node, list(chosen.values())))
    return mask.crop(block)


def _nothingPainted(segmentationNode: Node, segmentIds: Sequence[str]) -> str:
    if not segmentIds:
        return "No segment is chosen as scribble; choose one or switch the scribble off."
    names = " and ".join(repr(segmentOf(segmentationNode, part).GetName()) for part in segmentIds)
    return (
        f"The scribble {names} holds no voxel inside the image; paint in it, choose another "
        "segment or switch the scribble off."
    )


def _requireInside(prompt: Prompt, geometry: Geometry) -> None:
    prompt.points_kji(geometry)
    for box in (*prompt.boxes, prompt.region):
        if box is not None:
            box.slices_kji(geometry)
