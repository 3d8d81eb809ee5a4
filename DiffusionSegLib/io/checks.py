"""What every image that comes from a file has to be."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.errors import InputError

__all__ = ["check_finite", "check_thickness", "check_voxels"]

# The largest number that there is often marks the background; a window would hold nothing else.
_LARGEST = 1e18
_SMALLEST = 1e-30


def check_voxels(array: NDArray[Any], path: Path) -> None:
    """Refuse complex, NaN, infinite and constant voxels of (channels, k, j, i); slice by slice."""
    if array.dtype.kind not in "buif":
        raise InputError(
            f"{path.name} holds {array.dtype} voxels, but an image needs real numbers; "
            "export its magnitude."
        )
    _check_size(check_finite(array, path.name), path)
    first = array.flat[0]
    if not any(bool((slice_ji != first).any()) for channel in array for slice_ji in channel):
        raise InputError(
            f"{path.name} is blank: every voxel has the value {first:g}; there is nothing to "
            "outline in it."
        )


def check_finite(array: NDArray[Any], name: str) -> float:
    """Refuse NaN and infinity in (channels, k, j, i), slice by slice; the largest magnitude of
    fractions, 0 of whole numbers. `name` begins the sentence. Raises InputError."""
    largest = 0.0
    if array.dtype.kind != "f":
        return largest
    for channel in array:
        for k, slice_ji in enumerate(channel):
            height = max(abs(float(slice_ji.min())), abs(float(slice_ji.max())))
            if not math.isfinite(height):
                bad = int(np.count_nonzero(~np.isfinite(slice_ji)))
                raise InputError(
                    f"{name} has {bad} voxels in slice {k} that are not a number or "
                    "infinite; replace them (for instance by 0) and export the image again."
                )
            largest = max(largest, height)
    return largest


def _check_size(largest: float, path: Path) -> None:
    """Refuse what stands for "no value" in some programs, and what single precision has not."""
    if largest > _LARGEST:
        raise InputError(
            f"{path.name} has voxels as large as {largest:.3g}, which are no measured values; "
            "replace them (for instance by 0) and export the image again."
        )
    if 0.0 < largest < _SMALLEST:
        raise InputError(
            f"{path.name} has no voxel larger than {largest:.3g}, too small to compute with; "
            "multiply its values and export the image again."
        )


def check_thickness(shape_kji: tuple[int, int, int], path: Path) -> None:
    """Refuse images that are one voxel thin along the rows or columns."""
    for axis, name in ((1, "j (rows)"), (2, "i (columns)")):
        if shape_kji[axis] < 2:
            size = " x ".join(str(count) for count in reversed(shape_kji))
            raise InputError(
                f"{path.name} has {size} voxels: it is one voxel thin along {name}, so there is "
                "nothing to outline; a single slice must lie in the first two axes."
            )
