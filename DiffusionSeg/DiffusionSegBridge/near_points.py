"""Which voxels lie near the user's clicks."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.nouns.geometry import Float3, Geometry

__all__ = ["voxelsNear"]


def voxelsNear(
    points_ras: Sequence[Float3], radius_mm: float, geometry: Geometry
) -> NDArray[np.bool_]:
    """(k, j, i): whether the centre of each voxel lies within the radius of any point (RAS mm)."""
    near = np.zeros(geometry.shape_kji, np.bool_)
    for point in points_ras:
        block = _blockAround(point, radius_mm, geometry)
        if any(part.start >= part.stop for part in block):
            continue
        near[block] |= _within(block, point, radius_mm, geometry)
    return near


def _blockAround(point_ras: Float3, radius_mm: float, geometry: Geometry) -> tuple[slice, ...]:
    center = geometry.ras_to_kji([point_ras])[0]
    # A ball of radius r reaches r times the length of a matrix row along that index.
    reach = radius_mm * np.linalg.norm(geometry.ras_to_ijk[:3, :3], axis=1)[::-1]
    return tuple(
        slice(max(math.ceil(middle - half), 0), max(min(math.floor(middle + half) + 1, count), 0))
        for middle, half, count in zip(center, reach, geometry.shape_kji, strict=True)
    )


def _within(
    block: tuple[slice, ...], point_ras: Float3, radius_mm: float, geometry: Geometry
) -> NDArray[np.bool_]:
    matrix = geometry.ijk_to_ras
    k, j, i = (np.arange(part.start, part.stop, dtype=np.float64) for part in block)
    squared = np.zeros((len(k), len(j), len(i)))
    for axis in range(3):
        along = (
            matrix[axis, 2] * k[:, None, None]
            + matrix[axis, 1] * j[None, :, None]
            + (matrix[axis, 0] * i + matrix[axis, 3] - point_ras[axis])[None, None, :]
        )
        squared += along**2
    return np.asarray(squared <= radius_mm**2)
