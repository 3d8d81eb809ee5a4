"""The part of an image around what was marked in it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.nouns.geometry import Geometry
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
    middle = geometry.kji_to_ras(((low + high) / 2)[None])[0]
    size = ((high - low + 1) * spacing)[::-1]
    axes = geometry.ijk_to_ras[:3, :3] / np.asarray(geometry.spacing_mm)
    nested = tuple(tuple(float(part) for part in row) for row in axes)
    x, y, z = (float(part) for part in middle)
    i, j, k = (float(part) for part in size - 1e-3)  # so that no voxel more is touched
    return Box((x, y, z), (i, j, k), nested)  # type: ignore[arg-type]


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
