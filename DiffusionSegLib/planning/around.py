"""The part of an image around what was marked in it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.nouns.geometry import Geometry, as_direction
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Box, Prompt

__all__ = ["region_around"]

_MOST = 0.8  # share of the image's voxels; a part that holds more saves nothing


def region_around(
    prompt: Prompt, geometry: Geometry, margin_mm: float, mask: Mask | None = None
) -> Box | None:
    """Whole voxels with at least ``margin_mm`` on all sides of every mark, and of what a mask
    covers; None when nothing is marked or nearly all of the image would be left."""
    places = _places(prompt, geometry, mask)
    if not len(places):
        return None
    spacing = np.asarray(geometry.spacing_mm[::-1])
    last = np.asarray(geometry.shape_kji) - 1
    low = np.floor(places.min(axis=0) - margin_mm / spacing).clip(0, last)
    high = np.ceil(places.max(axis=0) + margin_mm / spacing).clip(0, last)
    if np.prod(high - low + 1) > _MOST * geometry.voxel_count:
        return None
    return _box(geometry, low, high)


def _box(geometry: Geometry, low: NDArray[np.float64], high: NDArray[np.float64]) -> Box:
    """Around the voxels from ``low`` to ``high`` (k, j, i), both within it."""
    axes = geometry.ijk_to_ras[:3, :3] / np.asarray(geometry.spacing_mm)
    if not np.allclose(axes.T @ axes, np.eye(3), atol=1e-4):  # sheared slices: a box around them
        ends = np.stack(np.meshgrid(*zip(low, high, strict=True), indexing="ij"), -1)
        corners = geometry.kji_to_ras(ends.reshape(-1, 3))
        return Box.from_corners(corners.min(axis=0) - 1e-3, corners.max(axis=0) + 1e-3)
    x, y, z = geometry.kji_to_ras(((low + high) / 2)[None])[0].tolist()
    # A little less than whole voxels, so that no voxel more is touched.
    i, j, k = ((high - low + 1 - 1e-3) * np.asarray(geometry.spacing_mm[::-1]))[::-1].tolist()
    return Box((x, y, z), (i, j, k), as_direction(axes))


def _places(prompt: Prompt, geometry: Geometry, mask: Mask | None) -> NDArray[np.float64]:
    """(n, 3) voxel indices (k, j, i) of marks, corners of boxes, and bounds of what is painted."""
    found = [np.asarray(prompt.points_kji(geometry), np.float64).reshape(-1, 3)]
    found += [geometry.ras_to_kji(box.corners_ras()) for box in prompt.boxes]
    strokes = prompt.scribbles
    for painted in (strokes, mask):
        if painted is None:
            continue
        bounds = _bounds(np.asarray(painted.array) != 0)
        if bounds is not None:
            found.append(geometry.ras_to_kji(painted.geometry.kji_to_ras(bounds)))
    return np.concatenate(found)


def _bounds(inside: NDArray[np.bool_]) -> NDArray[np.float64] | None:
    """(8, 3) corners (k, j, i) of the box around what is inside."""
    if not inside.any():
        return None
    ends = []
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        hit = np.flatnonzero(inside.any(axis=others))
        ends.append((float(hit[0]), float(hit[-1])))
    corners = np.meshgrid(*ends, indexing="ij")
    return np.stack(corners, axis=-1).reshape(-1, 3)
