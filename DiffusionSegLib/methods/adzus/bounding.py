"""The part of a picture in which a region lies, so that nothing else has to be looked at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Box2D", "bounding_box"]

Box2D = tuple[slice, slice]


def bounding_box(region: NDArray[np.bool_]) -> Box2D:
    """Rows and columns of a region (rows, columns) that is not empty, and one pixel more on every
    side where the picture has one."""
    spans = []
    for axis in (1, 0):
        held = np.flatnonzero(region.any(axis=axis))
        spans.append(slice(max(0, int(held[0]) - 1), int(held[-1]) + 2))
    return spans[0], spans[1]
