"""How much a mask of the canvas is a thing of its own, by attention and by the picture's edges."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.methods.adzus.canvas import Canvas
from DiffusionSegLib.methods.adzus.cohesion import normalized_cuts
from DiffusionSegLib.methods.adzus.neighbors import straight_pairs
from DiffusionSegLib.methods.adzus.nested import NestedRegions
from DiffusionSegLib.methods.adzus.plane import Plane

__all__ = ["cohesion", "edge_support", "overlap", "standing_alone"]

Bools = NDArray[np.bool_]


def standing_alone(mask: Bools, plane: Plane) -> float:
    """In [0, 1]: the geometric mean of cohesion and edge support, a choice of ours."""
    return float(np.sqrt(cohesion(mask, plane) * edge_support(mask, plane.canvas)))


def cohesion(mask: Bools, plane: Plane) -> float:
    """1 - NCut / 2, in [0, 1]: how much a walk over attention keeps to the mask and to the rest.

    mask: (rows, columns) of the canvas.
    """
    areas = np.array([mask.sum(), mask.size], dtype=np.float64)
    nested = NestedRegions(np.where(mask, 0, 1).astype(np.int64), areas)
    return float(1 - normalized_cuts(nested, plane.attention)[0] / 2)


def edge_support(mask: Bools, canvas: Canvas) -> float:
    """In [0, 1]: 0 for a border along edges of middling strength, 1 along the picture's strongest.

    The share of the picture's edges that are weaker, mean over the border and the three scales,
    from a half (what a border drawn anywhere has) to one. 0 without a border.
    """
    first, second = straight_pairs(mask.astype(np.int8))
    border = np.flatnonzero(first != second)
    if len(border) == 0:
        return 0.0
    weaker = np.mean([1.0 - np.exp(-scale[border]).mean() for scale in canvas.edges])
    return float(np.clip(2 * weaker - 1, 0.0, 1.0))


def overlap(one: Bools, other: Bools) -> float:
    """Intersection over union, in [0, 1]."""
    return float((one & other).sum()) / max(1, int((one | other).sum()))
