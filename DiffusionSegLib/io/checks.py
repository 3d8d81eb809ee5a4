"""What every image that comes from a file has to be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.errors import InputError

__all__ = ["check_thickness", "check_voxels"]


def check_voxels(array: NDArray[Any], path: Path) -> None:
    """Refuse complex, NaN, infinite and constant voxels of (channels, k, j, i); slice by slice."""
    if array.dtype.kind not in "buif":
        raise InputError(
            f"{path.name} holds {array.dtype} voxels, but an image needs real numbers; "
            "export its magnitude."
        )
    first = array.flat[0]
    varies = False
    for channel in array:
        for k, slice_ji in enumerate(channel):
            if array.dtype.kind == "f" and not np.isfinite(slice_ji).all():
                bad = int(np.count_nonzero(~np.isfinite(slice_ji)))
                raise InputError(
                    f"{path.name} has {bad} voxels in slice {k} that are not a number or "
                    "infinite; replace them (for instance by 0) and export the image again."
                )
            # Once two values are seen, integers need no further look.
            varies = varies or bool((slice_ji != first).any())
            if varies and array.dtype.kind != "f":
                return
    if not varies:
        raise InputError(
            f"{path.name} is blank: every voxel has the value {first:g}; there is nothing to "
            "outline in it."
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
