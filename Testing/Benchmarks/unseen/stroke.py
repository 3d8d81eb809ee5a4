"""One stroke of a simulated user, the same for everybody who runs the benchmark."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.label import label_for
from DiffusionSegLib.nouns.mask import Mask

BoolArray = NDArray[np.bool_]
_INCLUDE = 1
_DEEP = 0.9  # of the greatest depth


def middle_stroke(truth: BoolArray) -> BoolArray:
    """(1, rows, columns): a line one pixel wide through the object's middle along its main axis,
    half as long as the object is along it; only what is inside the object.

    Of the pixels that lie deep inside, the middle is the one nearest to the mean of all.
    """
    inside = truth[0]
    depth = ndimage.distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
    deep = np.argwhere(depth >= _DEEP * depth.max()).astype(float)
    mean = np.argwhere(inside).mean(axis=0)
    middle = deep[int(np.argmin(((deep - mean) ** 2).sum(axis=1)))]
    along, length = _main_axis(inside)
    steps = np.linspace(-length / 4, length / 4, 2 * int(np.ceil(length)) + 1)
    places = np.rint(middle + steps[:, np.newaxis] * along).astype(int)
    there = ((places >= 0) & (places < inside.shape)).all(axis=1)
    drawn = np.zeros_like(inside)
    drawn[tuple(places[there].T)] = True
    return (drawn & inside)[np.newaxis]


def as_scribble(stroke: BoolArray, geometry: Geometry) -> Mask:
    """As a prompt takes it."""
    label = label_for(_INCLUDE, "include")
    return Mask(stroke.astype(np.uint8) * _INCLUDE, geometry, (label,), dimension=2)


def _main_axis(inside: BoolArray) -> tuple[NDArray[np.float64], float]:
    """Unit vector (row, column) of the largest spread, and the object's length along it."""
    places = np.argwhere(inside).astype(float)
    if len(places) < 3:
        return np.array([1.0, 0.0]), float(len(places))
    _, vectors = np.linalg.eigh(np.cov(places.T))
    along = vectors[:, -1]
    return along, float(np.ptp(places @ along)) + 1.0
