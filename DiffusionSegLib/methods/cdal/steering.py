"""What clicks and strokes say about the first outline, before it is denoised again.

cDAL has no prompts; this rule is ours. A mark that the first outline contradicts changes more than
the marked voxels: what seems to be one thing with them is added, or taken away.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from DiffusionSegLib.methods.constraints import FREE, Fixed
from DiffusionSegLib.nouns.geometry import Geometry

_SHARE = 0.5  # of the probability at the mark: what an including mark adds reaches it
_LEAST = 0.03  # below this the network has no opinion to follow
_CORE = 1.0  # radii of the contradicted part that an excluding mark takes away,
_REACH = 2.0  # and within which what is no more probable than the mark goes with it,
_OWN = 0.7  # if the nearest including mark is farther by this factor

Bool = NDArray[np.bool_]


def steered_classes(mean: NDArray[np.floating], fixed: Fixed, grid: Geometry) -> NDArray[np.int16]:
    """The outline that marks turn the first one into, as class indices (K, J, I).

    mean: (labels, K, J, I), the probability without marks; fixed: the marked voxels on the same
    grid (class index, 0 excluded, FREE elsewhere).
    """
    inside = mean.sum(axis=0, dtype=np.float32)
    classes = first_classes(mean)
    for mark in _parts(fixed > 0):
        if not (classes[mark] > 0).all():
            added = _around(inside, mark) & (classes == 0)
            classes[added] = fixed[mark].max()
    for mark in _parts(fixed == 0):
        if (classes[mark] > 0).any():
            wrong = _contradicted(inside, classes > 0, mark, grid)
            classes[wrong & _nearer(mark, fixed > 0, grid)] = 0
    return np.where(fixed != FREE, fixed, classes).astype(np.int16)


def first_classes(mean: NDArray[np.floating]) -> NDArray[np.int16]:
    """The outline of a probability (labels, K, J, I), as class indices (K, J, I)."""
    likely = mean.argmax(axis=0).astype(np.int16) + 1
    inside = mean.sum(axis=0, dtype=np.float32)
    return np.where(inside >= 0.5, likely, 0).astype(np.int16)


def nearness(changed: Bool, grid: Geometry) -> NDArray[np.float32]:
    """(K, J, I): 1 at and around what the marks changed, falling to 0 far from it.

    Around: within the radius of a ball (on one slice: a disc) as large as what changed. What lies
    beyond stays as it was, so that a click cannot spoil an outline elsewhere.
    """
    if not changed.any():
        return np.zeros(changed.shape, np.float32)
    spacing_kji = np.asarray(grid.spacing_mm[::-1])
    axes = [axis for axis, count in enumerate(changed.shape) if count > 1]
    measure = float(changed.sum() * spacing_kji[axes].prod())
    radius_mm = _ball_radius(measure, len(axes)) + float(spacing_kji[axes].max(initial=0.0))
    away_mm = ndimage.distance_transform_edt(~changed, sampling=spacing_kji)
    return np.clip(2 - away_mm / max(radius_mm, 1e-6), 0, 1).astype(np.float32)


def _ball_radius(measure: float, dimensions: int) -> float:
    if dimensions >= 3:
        return float((3 * measure / (4 * np.pi)) ** (1 / 3))
    return float((measure / np.pi) ** 0.5) if dimensions == 2 else measure / 2


def _parts(marked: Bool) -> Iterator[Bool]:
    """Each connected mark."""
    numbers, count = ndimage.label(marked)
    for number in range(1, count + 1):
        yield numbers == number


def _around(inside: NDArray[np.float32], mark: Bool) -> Bool:
    """What hangs together with the mark at half the probability found there."""
    level = max(_SHARE * float(inside[mark].max()), _LEAST)
    return _touching(inside >= level, mark)


def _contradicted(inside: NDArray[np.float32], outline: Bool, mark: Bool, grid: Geometry) -> Bool:
    """The part of the outline around an excluding mark.

    A ball as large as fits into the outline around the mark's deepest voxel, and near it what is
    connected and no more probable than that voxel.
    """
    depth_mm = _depth_mm(outline, grid)
    center = np.unravel_index(int(np.argmax(np.where(mark, depth_mm, -1.0))), mark.shape)
    radius_mm, level = float(depth_mm[center]), float(inside[center])
    distance_mm = _distance_mm(mark.shape, center, grid)
    doubtful = _touching(outline & (inside <= level + 0.05), mark)
    near = distance_mm <= _REACH * radius_mm
    return np.asarray(outline & ((distance_mm <= _CORE * radius_mm) | (doubtful & near)))


def _nearer(mark: Bool, others: Bool, grid: Geometry) -> Bool:
    """What is clearly nearer to the mark than to any of the others; all, when there are none."""
    if not others.any():
        return np.ones(mark.shape, bool)
    spacing_kji = grid.spacing_mm[::-1]
    to_mark = ndimage.distance_transform_edt(~mark, sampling=spacing_kji)
    to_others = ndimage.distance_transform_edt(~others, sampling=spacing_kji)
    return np.asarray(to_mark <= _OWN * to_others)


def _touching(region: Bool, mark: Bool) -> Bool:
    numbers, _ = ndimage.label(region)
    touched = np.unique(numbers[mark])
    return np.isin(numbers, touched[touched > 0])


def _depth_mm(outline: Bool, grid: Geometry) -> NDArray[np.float64]:
    """Distance of each voxel inside to the nearest outside; the image's border is outside."""
    sides = [(0, 0) if count == 1 else (1, 1) for count in outline.shape]
    spacing_kji = grid.spacing_mm[::-1]
    depth = ndimage.distance_transform_edt(np.pad(outline, sides), sampling=spacing_kji)
    return np.asarray(depth[tuple(slice(1, -1) if low else slice(None) for low, _ in sides)])


def _distance_mm(
    shape: tuple[int, ...], center: tuple[np.intp, ...], grid: Geometry
) -> NDArray[np.float64]:
    axes = np.ogrid[tuple(slice(count) for count in shape)]
    spacing_kji = grid.spacing_mm[::-1]
    parts = zip(axes, center, spacing_kji, strict=True)
    return np.sqrt(sum(((axis - place) * step) ** 2 for axis, place, step in parts))
