"""Voxels of one world grid on another, exact where the grids agree."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from DiffusionSegBridge.labelmaps import wholeOffset
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.mask import Mask

__all__ = ["NOWHERE", "Block", "blockOnGrid", "onGrid"]

Block = tuple[slice, slice, slice]

NOWHERE: Block = (slice(0, 0), slice(0, 0), slice(0, 0))
_EVERYWHERE: Block = (slice(None), slice(None), slice(None))


def onGrid(inside: NDArray[np.bool_], source: Geometry, target: Geometry) -> NDArray[np.bool_]:
    """Whether each voxel of ``target`` is inside; the nearest voxel where the grids differ."""
    block, part = blockOnGrid(inside, source, target)
    found = np.zeros(target.shape_kji, np.bool_)
    found[block] = part
    return found


def blockOnGrid(
    inside: NDArray[np.bool_], source: Geometry, target: Geometry
) -> tuple[Block, NDArray[np.bool_]]:
    """A block of ``target``, and whether each voxel of it is inside; none is outside the block."""
    offset = wholeOffset(source, target)
    if offset is None:
        nearest = Mask(inside.view(np.uint8), source).resampled(target)
        return _EVERYWHERE, nearest.array.view(np.bool_)
    to, part = [], []
    for first, count, limit in zip(offset, source.shape_kji, target.shape_kji, strict=True):
        start, stop = max(first, 0), min(first + count, limit)
        if start >= stop:
            return NOWHERE, np.zeros((0, 0, 0), np.bool_)
        to.append(slice(start, stop))
        part.append(slice(start - first, stop - first))
    return (to[0], to[1], to[2]), inside[tuple(part)]
