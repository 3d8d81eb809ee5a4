"""Where a new box appears: in the middle of what is looked at, inside the volume."""

from __future__ import annotations

from typing import Any

__all__ = ["putBox"]


def putBox(roiNode: Any, volumeNode: Any, sliceNode: Any, share: float) -> None:
    """Give an ROI node ``share`` of the volume's extent, around the center of a slice view.

    Where the view shows no part of the volume, the box is put at the volume's center. All in world
    RAS mm, along the world axes; sliceNode may be None.
    """
    bounds = [0.0] * 6
    volumeNode.GetRASBounds(bounds)
    center = _center(bounds, sliceNode)
    size = [share * (bounds[2 * axis + 1] - bounds[2 * axis]) for axis in range(3)]
    for axis in range(3):  # the whole box stays inside
        low, high = bounds[2 * axis] + size[axis] / 2, bounds[2 * axis + 1] - size[axis] / 2
        center[axis] = min(max(center[axis], low), high)
    roiNode.SetCenterWorld(*center)
    roiNode.SetSizeWorld(*(max(length, 1e-3) for length in size))


def _center(bounds: list[float], sliceNode: Any) -> list[float]:
    middle = [(bounds[2 * axis] + bounds[2 * axis + 1]) / 2 for axis in range(3)]
    if sliceNode is None:
        return middle
    matrix = sliceNode.GetSliceToRAS()
    seen = [matrix.GetElement(axis, 3) for axis in range(3)]
    inside = all(bounds[2 * axis] <= seen[axis] <= bounds[2 * axis + 1] for axis in range(3))
    return seen if inside else middle
