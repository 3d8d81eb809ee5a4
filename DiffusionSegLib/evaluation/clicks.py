"""A simulated user: clicks the object's centre, then the centre of the largest error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Click:
    """A voxel, and whether it belongs to the object (include) or not (exclude)."""

    position_kji: tuple[int, int, int]
    include: bool


def first_click(truth: BoolArray, spacing_kji: Sequence[float]) -> Click | None:
    """The centre of the object's largest part; None when there is no object.

    `truth` has axes (K, J, I); `spacing_kji` is in mm.
    """
    part = _largest_part(truth)
    return None if part is None else Click(_deepest(part, spacing_kji), True)


def next_click(
    truth: BoolArray, predicted: BoolArray, spacing_kji: Sequence[float]
) -> Click | None:
    """The centre of the largest connected error; None when the outline is already exact.

    A missed part is included, a part too much is excluded; of two errors of equal size the
    missed one comes first.
    """
    missed = _largest_part(truth & ~predicted)
    surplus = _largest_part(predicted & ~truth)
    if missed is None and surplus is None:
        return None
    include = _size(missed) >= _size(surplus)
    part = missed if include else surplus
    assert part is not None
    return Click(_deepest(part, spacing_kji), include)


def _size(part: BoolArray | None) -> int:
    return 0 if part is None else int(part.sum())


def _largest_part(mask: BoolArray) -> BoolArray | None:
    """Largest component connected across faces; the first in memory order of equals."""
    parts, count = ndimage.label(mask)
    if count == 0:
        return None
    sizes = np.bincount(parts.ravel())[1:]
    largest: BoolArray = parts == 1 + int(np.argmax(sizes))
    return largest


def _deepest(part: BoolArray, spacing_kji: Sequence[float]) -> tuple[int, int, int]:
    """The voxel farthest (in mm) from everything outside; the image's border is outside.

    Of several equally deep ones it is the nearest to the part's centre of mass. A plane (K = 1)
    is measured within the plane: its faces are not a border.
    """
    flat = part.shape[0] == 1
    # Nothing beyond the part's own block and one layer around it is nearer.
    block = ndimage.find_objects(part.astype(np.uint8))[0]
    first_kji = [side.start for side in block]
    padded = np.pad(part[block], [(0, 0) if flat else (1, 1), (1, 1), (1, 1)])
    depth = ndimage.distance_transform_edt(padded, sampling=tuple(spacing_kji))
    places_kji = np.argwhere(depth >= depth.max() - 1e-9)
    middle_kji = np.argwhere(padded).mean(axis=0)
    offsets_mm = (places_kji - middle_kji) * np.asarray(spacing_kji, dtype=np.float64)
    deepest_kji = places_kji[int(np.argmin((offsets_mm**2).sum(axis=1)))] + first_kji
    k, j, i = (int(place) for place in deepest_kji - (0 if flat else 1, 1, 1))
    return k, j, i
