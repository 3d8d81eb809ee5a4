"""Specks beside an outline and pinholes in it, which a residual of few drawings leaves behind.

Our choice; the paper says nothing of it. A tumor may well be in several parts, so that only what is
small next to the largest part goes, and nothing that the user spoke of.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["tidied"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]
Told = NDArray[np.int8]

_LEVEL = 0.5  # of the probability, at which an outline begins
_BELOW = np.nextafter(np.float32(_LEVEL), np.float32(0))
_SMALLEST_PART = 0.1  # of the largest part
_LARGEST_HOLE = 0.05  # of the outline's slice, or of the whole outline in three dimensions


def tidied(probability: Floats, dims: int, told: Told | None = None) -> Floats:
    """The probability (slices, rows, columns) with the opinion about specks and pinholes turned
    round: p becomes 1 - p there, so that a lower threshold shows the most doubtful ones last.

    dims: 2 where every slice was drawn by itself (holes are looked for within slices), else 3.
    told: 1 where the user said that it belongs, -1 where not, 0 or None elsewhere; a part that
    holds one of the former stays, and a hole that holds one of the latter.
    """
    told = np.zeros(probability.shape, np.int8) if told is None else told
    specks = _specks(probability >= _LEVEL, told > 0)
    found = np.where(specks, np.minimum(1 - probability, _BELOW), probability).astype(np.float32)
    inside = found >= _LEVEL
    for place in _pieces(dims, len(inside)):
        holes = _pinholes(inside[place], told[place] < 0)
        found[place] = np.where(holes, 1 - found[place], found[place])
    return found


def _pieces(dims: int, slices: int) -> Iterator[slice]:
    if dims == 3:
        yield slice(0, slices)
    else:
        yield from (slice(number, number + 1) for number in range(slices))


def _specks(inside: Bools, wanted: Bools) -> Bools:
    labels, count = ndimage.label(inside)
    if count < 2:
        return np.zeros_like(inside)
    sizes = np.bincount(labels.reshape(-1), minlength=count + 1)
    goes = sizes < _SMALLEST_PART * sizes[1:].max()
    goes[labels[wanted]] = False
    goes[0] = False
    return np.asarray(goes[labels])


def _pinholes(inside: Bools, unwanted: Bools) -> Bools:
    """Within a slice, or in all slices together; what touches the border is no hole."""
    axes = [axis for axis in range(3) if inside.shape[axis] > 1]
    labels, count = ndimage.label(~inside)
    sizes = np.bincount(labels.reshape(-1), minlength=count + 1)
    fills = sizes <= _LARGEST_HOLE * int(inside.sum())
    fills[labels[unwanted]] = False
    for axis in axes:
        for end in (0, -1):
            fills[np.take(labels, end, axis=axis)] = False
    fills[0] = False
    return np.asarray(fills[labels])

