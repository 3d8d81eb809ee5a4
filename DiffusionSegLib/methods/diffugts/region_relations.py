"""What tells a tumor's region from others by comparing it with them and with its mirror image.

Our choice. A whole brain stands out as a tumor does, but it holds parts that stand out more, and it
is the same on both sides.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["RELATIONS", "region_relations"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]

RELATIONS = (
    "a part stands out more", "size in what holds it", "unlike what holds it", "steadiness",
    "overlap with its mirror image", "unlike its mirror image", "unusual size", "unusually small",
)  # fmt: skip
_INSIDE, _SMALLER = 0.9, 0.6  # share of a part that lies in the whole, and its size against it
_SAME = 0.7  # intersection over union of regions that count as one
_SMALLEST_SPREAD = 0.03
_USUAL = -3.0  # logarithm of the share of the body that tumors take, about


def region_relations(
    slice_: Floats, body: Bools, middle: tuple[float, float], contrast: Floats, regions: Bools
) -> Floats:
    """(n, relations) of regions (n, rows, columns), n at least 1, in the order of RELATIONS.

    slice_: (rows, columns) in [0, 1]; body: the same; middle: of the body; contrast: (n,) how
    unlike each region is to what is around it.
    """
    flat = regions.reshape(len(regions), -1).astype(np.float32)
    common = flat @ flat.T
    size = np.diagonal(common).astype(np.float64)
    held = (common >= _INSIDE * size) & (size < _SMALLER * size[:, None])  # [whole, part]
    spread = max(_SMALLEST_SPREAD, float(slice_[body].std()))
    within, unlike = _in_parent(slice_, flat, common, size, held)
    share = np.log(size / body.sum()) - _USUAL
    columns = [
        np.where(held, contrast, -np.inf).max(axis=1, initial=-np.inf) - contrast,
        within,
        unlike / spread,
        np.log((common > _SAME / (1 + _SAME) * (size + size[:, None])).sum(axis=1)),
        *_mirrored(slice_, body, middle, regions, spread),
        share**2 / 4,
        np.minimum(share, 0),
    ]
    columns[0] = np.where(held.any(axis=1), columns[0], -1.0)
    return np.stack(columns, axis=1).astype(np.float32)


def _in_parent(
    slice_: Floats, flat: Floats, common: Floats, size: NDArray[np.float64], held: Bools
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of the smallest region that holds each: the logarithm of the share that it takes of it, and
    its difference in shade from the rest; 0 where nothing holds it."""
    sums = flat @ slice_.reshape(-1).astype(np.float32)
    sizes = np.where(held, size[:, None], np.inf)
    parent, part = sizes.argmin(axis=0), np.arange(len(size))
    rest = np.maximum(size[parent] - common[parent, part], 1)
    shade = np.abs(sums / size - (sums[parent] - sums) / rest)
    found = held.any(axis=0)
    return np.where(found, np.log(size / size[parent]), 0.0), np.where(found, shade, 0.0)


def _mirrored(
    slice_: Floats, body: Bools, middle: tuple[float, float], regions: Bools, spread: float
) -> tuple[Floats, Floats]:
    """Dice of each region and its mirror image in the body's better axis, and how much their
    shades differ."""
    images = [_mirror(slice_, middle, axis) for axis in (0, 1)]
    apart = [float(np.abs(slice_ - image)[body].mean()) for image in images]
    axis = int(np.argmin(apart))
    other = _mirror(regions, middle, axis)
    size = regions.sum(axis=(1, 2))
    overlap = 2 * (regions & other).sum(axis=(1, 2)) / np.maximum(1, size + other.sum(axis=(1, 2)))
    difference = np.where(regions, slice_ - images[axis], 0).sum(axis=(1, 2)) / size
    return overlap.astype(np.float32), np.abs(difference / spread).astype(np.float32)


def _mirror(values: NDArray[Any], middle: tuple[float, float], axis: int) -> NDArray[Any]:
    """Of the last two axes, around the middle; what falls outside is the nearest."""
    count = values.shape[-2 + axis]
    places = np.clip(np.round(2 * middle[axis] - np.arange(count)).astype(int), 0, count - 1)
    return np.asarray(np.take(values, places, axis=-2 + axis))
