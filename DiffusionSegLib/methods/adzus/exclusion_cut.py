"""Takes out of a followed outline what the user excluded on that slice."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from DiffusionSegLib.methods.adzus.hints import Hint, disc_hint
from DiffusionSegLib.methods.adzus.plane import Plane
from DiffusionSegLib.methods.adzus.plane_outline import PlaneOutline

__all__ = ["OutlineOf", "cut_excluded"]

Floats = NDArray[np.float32]
OutlineOf = Callable[[Plane, Sequence[Hint]], PlaneOutline]
_LEAST = 0.3  # of the outline: when less is left, the answer was about something else


def cut_excluded(
    plane: Plane, outline_of: OutlineOf, followed: Floats, hints: Sequence[Hint]
) -> Floats:
    """followed: (rows, columns) of the canvas, a probability, with something inside.

    The slice is outlined by a click into the deepest followed pixel and the user's hints; what both
    hold stays. Where that leaves too little, each pixel goes to the nearer of click and hints.
    """
    mask = followed >= 0.5
    excluded = np.zeros(mask.shape, dtype=bool)
    for hint in hints:
        excluded[tuple(hint.pixels.T)] = True
    depth = ndimage.distance_transform_edt(np.pad(mask & ~excluded, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    click = disc_hint(float(row), float(column), plane.canvas.size, True)
    kept = mask & outline_of(plane, [click, *hints]).mask
    if kept.sum() < _LEAST * mask.sum():
        rows, columns = np.ogrid[: mask.shape[0], : mask.shape[1]]
        from_click = np.hypot(rows - row, columns - column)
        kept = mask & (from_click < ndimage.distance_transform_edt(~excluded))
    cut = np.where(kept, followed, np.minimum(followed, np.float32(0.49)))
    return np.where(excluded, np.float32(0.0), cut).astype(np.float32)
