"""A baseline that does not look: an ellipse or ellipsoid in the middle of the image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.evaluation.metrics import dice

BoolArray = NDArray[np.bool_]
Radii = tuple[float, float, float]

_CANDIDATES = np.linspace(0.2, 1.2, 21)  # of half the image's side
_SWEEPS = 3


def centred_ellipsoid(shape_kji: Sequence[int], radii: Radii) -> BoolArray:
    """radii: along k, j, i as shares of half the image's side; a single slice has no depth."""
    distance = np.zeros(tuple(shape_kji))
    for axis, (size, radius) in enumerate(zip(shape_kji, radii, strict=True)):
        if size == 1:
            continue
        place = (2 * np.arange(size) + 1 - size) / (size * radius)
        distance += place.reshape([-1 if a == axis else 1 for a in range(3)]) ** 2
    return np.asarray(distance <= 1)


def best_radii(truths: Sequence[BoolArray]) -> Radii:
    """The radii with the highest mean Dice over these masks, by line search along each axis."""
    radii = [0.6, 0.6, 0.6]
    for _ in range(_SWEEPS):
        for axis in range(3):
            scores = []
            for candidate in _CANDIDATES:
                radii[axis] = float(candidate)
                scores.append(_mean_dice(truths, radii))
            radii[axis] = float(_CANDIDATES[int(np.argmax(scores))])
    return radii[0], radii[1], radii[2]


def _mean_dice(truths: Sequence[BoolArray], radii: Sequence[float]) -> float:
    k, j, i = radii
    shapes = [truth.shape for truth in truths]
    return float(
        np.mean(
            [dice(centred_ellipsoid(s, (k, j, i)), t) for s, t in zip(shapes, truths, strict=True)]
        )
    )
