"""A followed outline, corrected by what the user marked on its slice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from DiffusionSegLib.methods.adzus.corrections import corrected_outlines
from DiffusionSegLib.methods.adzus.editing import EditWeights
from DiffusionSegLib.methods.adzus.hints import Hint, disc_hint
from DiffusionSegLib.methods.adzus.plane import Plane
from DiffusionSegLib.methods.adzus.reading import PlaneReader

__all__ = ["correct_followed"]

Floats = NDArray[np.float32]


def correct_followed(plane: Plane, followed: Floats, hints: Sequence[Hint]) -> Floats:
    """(rows, columns) of the canvas, of a probability that holds something.

    The same rule as for a further click on one slice, as if a click into the deepest followed pixel
    had led to the outline. Hints that the outline agrees with change nothing; all are 1 or 0.
    """
    reader = PlaneReader(plane)
    probability = followed
    used = [_deepest(followed >= 0.5, hints)]
    for hint in hints:
        outline = probability >= 0.5
        if not (outline[tuple(hint.pixels.T)] == hint.include).all():
            found = corrected_outlines(reader, outline, hint, used, 0.5, EditWeights(), 1)
            if found is not None:
                probability = found.probability
        used.append(hint)
    probability = probability.copy()
    for hint in hints:
        probability[tuple(hint.pixels.T)] = 1.0 if hint.include else 0.0
    return probability


def _deepest(mask: NDArray[np.bool_], hints: Sequence[Hint]) -> Hint:
    free = mask.copy()
    for hint in hints:
        if not hint.include:
            free[tuple(hint.pixels.T)] = False
    depth = ndimage.distance_transform_edt(np.pad(free, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return disc_hint(float(row), float(column), (mask.shape[0], mask.shape[1]), True)
