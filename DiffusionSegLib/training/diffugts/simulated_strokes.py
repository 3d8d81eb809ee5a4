"""Strokes as a user would draw them: through the middle of the object, along its longer side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["simulated_stroke"]

Bools = NDArray[np.bool_]
_LENGTH = 0.5  # of the object's standard deviation along its longer axis, to either side


def simulated_stroke(mask: Bools, rng: np.random.Generator, length: float = _LENGTH) -> Bools:
    """(rows, columns): a line one pixel wide inside the mask (rows, columns), which holds a pixel.

    It passes near the pixel that is deepest inside, off by up to a quarter of the depth there, and
    turned by up to 20 degrees: users do not measure.
    """
    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    deepest = np.array(np.unravel_index(int(depth.argmax()), mask.shape), dtype=np.float64)
    deepest += rng.uniform(-0.25, 0.25, 2) * depth.max()
    along, reach = _longer_axis(mask)
    angle = np.deg2rad(rng.uniform(-20, 20))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    steps = np.linspace(-1, 1, 2 * int(2 * reach) + 3)[:, None] * max(1.0, 2 * length * reach)
    places = np.rint(deepest + steps * (turn @ along)).astype(int)
    inside = ((places >= 0) & (places < mask.shape)).all(axis=1)
    stroke = np.zeros_like(mask)
    stroke[tuple(places[inside].T)] = True
    stroke &= mask
    if not stroke.any():
        stroke[np.unravel_index(int(depth.argmax()), mask.shape)] = True
    return stroke


def _longer_axis(mask: Bools) -> tuple[NDArray[np.float64], float]:
    """A unit vector (row, column), and the standard deviation along it."""
    places = np.argwhere(mask)
    if len(places) < 4:
        return np.array([1.0, 0.0]), 0.5
    values, vectors = np.linalg.eigh(np.cov(places.T))
    return vectors[:, -1], float(np.sqrt(max(values[-1], 0.25)))
