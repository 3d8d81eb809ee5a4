"""A curve drawn on the image, as points that belong to the outline.

Points rather than painted voxels, since more methods take points, and since a line has no width
that voxels would need. A closed curve is a line too: what it runs through is marked, not the area
inside it, because only the line was drawn on the image.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from DiffusionSegBridge.nodes import Node
from DiffusionSegLib.nouns.geometry import Float3, Geometry

__all__ = ["curvePoints"]

_STEP_MM = 5.0
_STEP_VOXELS = 5.0
# Each point costs a method time; so many say as much about one line as more would.
_MOST_POINTS = 20


def curvePoints(curveNode: Node, geometry: Geometry | None = None) -> list[Float3]:
    """Places in world RAS mm along a curve or line node, evenly spaced, at most 20.

    They are 5 mm apart, or with the image's `geometry` 5 of its widest voxels, and both ends are
    among them. Where the curve leaves the image its points are left out, unless all of it does.
    Empty for None and for a curve without placed points.
    """
    if curveNode is None or not curveNode.GetNumberOfDefinedControlPoints():
        return []
    line = _line(curveNode)
    step = _STEP_MM if geometry is None else _STEP_VOXELS * max(geometry.spacing_mm)
    points = _spread(line, step, bool(curveNode.GetCurveClosed()))
    if geometry is not None:
        inside = geometry.contains_ras(points)
        points = points[inside] if inside.any() else points
    return [(float(x), float(y), float(z)) for x, y, z in points]


def _line(curveNode: Node) -> NDArray[np.float64]:
    """(N, 3) the line as it is drawn; its control points where it has too few for a line."""
    drawn = curveNode.GetCurvePointsWorld()
    if drawn is not None and drawn.GetNumberOfPoints():
        return np.array([drawn.GetPoint(index) for index in range(drawn.GetNumberOfPoints())])
    return np.array(
        [
            curveNode.GetNthControlPointPositionWorld(index)
            for index in range(curveNode.GetNumberOfControlPoints())
            if curveNode.GetNthControlPointPositionStatus(index) == curveNode.PositionDefined
        ]
    )


def _spread(line: NDArray[np.float64], step_mm: float, closed: bool) -> NDArray[np.float64]:
    """Points at equal distances along the line."""
    along = np.concatenate([[0.0], np.linalg.norm(np.diff(line, axis=0), axis=1).cumsum()])
    length = along[-1]
    if length == 0:
        return line[:1]
    count = min(_MOST_POINTS, math.ceil(length / step_mm) + 1)
    # The end of a closed line is its beginning.
    places = np.linspace(0.0, length, count, endpoint=not closed)
    return np.stack([np.interp(places, along, line[:, axis]) for axis in range(3)], axis=1)
