"""Simulated mistakes in a mask, and the strokes of a user who repairs the worst of them.

Sizes are measured in the radius r of a ball (in a picture: a disk) as large as the object's
largest part. Mistakes: balls of 0.5 to 0.9 r around random voxels of the object are erased, and
balls of 0.4 to 0.7 r around random voxels outside, not farther than r from the object, are added
with the value of the nearest label; two of each, and two more for every ten parts that the object
has. Strokes: at the centre of the largest connected mistake (the voxel deepest in it) a ball of
0.3 r is painted with the truth; then the next one is looked for.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from DiffusionSegLib.evaluation.clicks import next_click

BoolArray = NDArray[np.bool_]
Labels = NDArray[np.uint8]

_ERASED = (0.5, 0.9)
_ADDED = (0.4, 0.7)
_STROKE = 0.3
_PARTS_PER_PAIR = 10


def with_mistakes(truth: Labels, spacing_kji: Sequence[float], rng: np.random.Generator) -> Labels:
    """A wrong copy of ``truth`` (K, J, I), which must hold an object."""
    inside = truth > 0
    radius = object_radius_mm(inside, spacing_kji)
    pairs = 2 + 2 * (int(ndimage.label(inside)[1]) // _PARTS_PER_PAIR)
    distance, nearest = ndimage.distance_transform_edt(
        ~inside, sampling=spacing_kji, return_indices=True
    )
    near = np.argwhere((distance > 0) & (distance <= radius))
    within = np.argwhere(inside)
    wrong = truth.copy()
    for _ in range(pairs):
        size = radius * rng.uniform(*_ERASED)
        wrong[_ball(truth.shape, within[rng.integers(len(within))], size, spacing_kji)] = 0
    for _ in range(pairs if len(near) else 0):
        size = radius * rng.uniform(*_ADDED)
        ball = _ball(truth.shape, near[rng.integers(len(near))], size, spacing_kji) & (wrong == 0)
        wrong[ball] = truth[tuple(nearest)][ball]
    return wrong


def with_strokes(wrong: Labels, truth: Labels, count: int, spacing_kji: Sequence[float]) -> Labels:
    """``wrong`` after ``count`` strokes; fewer when nothing is left to repair."""
    radius = _STROKE * object_radius_mm(truth > 0, spacing_kji)
    edited = wrong.copy()
    for _ in range(count):
        click = next_click(truth > 0, edited > 0, spacing_kji)
        if click is None:
            break
        ball = _ball(truth.shape, np.array(click.position_kji), radius, spacing_kji)
        edited[ball] = truth[ball]
    return edited


def object_radius_mm(inside: BoolArray, spacing_kji: Sequence[float]) -> float:
    """Of the ball or disk as large as the largest connected part."""
    parts, _ = ndimage.label(inside)
    largest = float(np.bincount(parts.ravel())[1:].max())
    if inside.shape[0] == 1:
        return float(np.sqrt(largest * np.prod(spacing_kji[1:]) / np.pi))
    return float(np.cbrt(largest * np.prod(spacing_kji) * 3 / (4 * np.pi)))


def _ball(
    shape: Sequence[int],
    center_kji: NDArray[np.intp],
    radius_mm: float,
    spacing_kji: Sequence[float],
) -> BoolArray:
    """Voxels within the radius; the centre always."""
    squares = [
        ((np.arange(size) - center) * step) ** 2
        for size, center, step in zip(shape, center_kji, spacing_kji, strict=True)
    ]
    k, j, i = np.ix_(*squares)
    return np.asarray(k + j + i <= radius_mm**2)
