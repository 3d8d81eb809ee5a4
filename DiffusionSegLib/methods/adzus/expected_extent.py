"""How far an object goes on across slices, by its outline in one: a choice of ours.

Neighboring slices of a volume look so much alike that matching alone hardly ever fails where an
object ends. But people click into the middle of what they mean, and structures are rounded: what is
wide within a slice goes on for long across slices, and its margin ends first.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["ELONGATION", "expected_extent"]

# Half of the length across slices for each mm of the largest depth within a slice. This rule alone
# inflates true outlines of the middle slice to a mean 3D Dice, on train and validation cases, of
# 0.71 at 1.0, 0.80 at 1.5, 0.78 at 2.0 (sarcoma); 0.56, 0.50, 0.44 (hippocampus, which moves from
# slice to slice). With what is matched, outlines of one click have on nine validation cases 0.65 at
# 1.6, and 0.66 at 2.0 and 2.5.
ELONGATION = 2.0


def expected_extent(
    inside: NDArray[np.bool_], pixel_mm: tuple[float, float]
) -> NDArray[np.float32]:
    """(rows, columns): mm from this slice to where each pixel's object ends; below 0 outside.

    A half circle over the depth, as over a ball's middle slice (where it is exact but for the
    elongation); outside minus the distance, so that what moves into the open ends.
    """
    padded = np.pad(inside, 1)
    depth = ndimage.distance_transform_edt(padded, sampling=pixel_mm)[1:-1, 1:-1]
    away = ndimage.distance_transform_edt(~inside, sampling=pixel_mm) if inside.any() else np.inf
    deepest = float(depth.max())
    height = np.sqrt(np.maximum(deepest**2 - (deepest - depth) ** 2, 0.0))
    return (ELONGATION * np.where(inside, height, -1.0 * away)).astype(np.float32)
