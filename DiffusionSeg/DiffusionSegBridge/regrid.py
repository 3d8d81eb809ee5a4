"""Voxels of one world grid on another, exact where the grids agree."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from DiffusionSegBridge.labelmaps import wholeOffset
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.mask import Mask

__all__ = ["onGrid"]


def onGrid(inside: NDArray[np.bool_], source: Geometry, target: Geometry) -> NDArray[np.bool_]:
    """Whether each voxel of ``target`` is inside; the nearest voxel where the grids differ."""
    offset = wholeOffset(source, target)
    if offset is None:
        nearest = Mask(inside.view(np.uint8), source).resampled(target)
        return nearest.array.view(np.bool_)
    found = np.zeros(target.shape_kji, np.bool_)
    to, part = [], []
    for first, count, limit in zip(offset, source.shape_kji, target.shape_kji, strict=True):
        start, stop = max(first, 0), min(first + count, limit)
        if start >= stop:
            return found
        to.append(slice(start, stop))
        part.append(slice(start - first, stop - first))
    found[tuple(to)] = inside[tuple(part)]
    return found
