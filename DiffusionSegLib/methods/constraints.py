"""What the user fixed by hand, as class indices per voxel of a grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Prompt

FREE = -1
_INCLUDE, _EXCLUDE = 1, 2

Fixed = NDArray[np.int16]


def edited_voxels(mask: Mask, original: Mask, values: Sequence[int]) -> Fixed:
    """FREE where the mask is as it was, else the class index that the user painted (0: erased)."""
    classes = class_indices(mask.array, values)
    return np.where(mask.array != original.array, classes, FREE).astype(np.int16)


def class_indices(array: NDArray[np.uint8], values: Sequence[int]) -> NDArray[np.int16]:
    """Label values to class indices 1..n; values that the model does not know become background."""
    table = np.zeros(256, np.int16)
    for index, value in enumerate(values, start=1):
        table[value] = index
    return table[array]


def prompt_constraints(
    prompt: Prompt, geometry: Geometry, likely: NDArray[np.integer], brush_mm: float
) -> Fixed | None:
    """Voxels fixed by clicks and scribbles, or None when there are none.

    likely: (K, J, I) most probable foreground class index at each voxel, which an including click
    takes. brush_mm: radius of a click; at least one voxel.
    """
    strokes = prompt.scribbles_on(geometry)
    if strokes is None and not prompt.points:
        return None
    fixed = np.full(geometry.shape_kji, FREE, np.int16)
    if strokes is not None:
        fixed[strokes == _INCLUDE] = likely[strokes == _INCLUDE]
        fixed[strokes == _EXCLUDE] = 0
    for point, center in zip(prompt.points, prompt.points_kji(geometry), strict=True):
        ball = _ball(geometry, center, brush_mm)
        middle = tuple(np.clip(np.rint(center).astype(int), 0, np.array(fixed.shape) - 1))
        fixed[ball] = int(likely[middle]) if point.include else 0
    return fixed


def on_grid(fixed: Fixed, source: Geometry, target: Geometry) -> Fixed:
    """Fixed voxels on another grid: each target voxel takes the nearest source voxel."""
    if source == target:
        return fixed
    carrier = Mask((fixed + 1).astype(np.uint8), source)
    return carrier.resampled(target).array.astype(np.int16) - 1


def _ball(
    geometry: Geometry, center_kji: NDArray[np.float64], radius_mm: float
) -> tuple[NDArray[np.intp], ...]:
    """Voxels within a radius of a continuous position, the nearest one always among them."""
    axes = geometry.ijk_to_lps[:3, :3]
    widths = np.linalg.norm(axes, axis=0)[::-1]
    low = np.floor(center_kji - radius_mm / widths - 1).astype(int)
    high = np.ceil(center_kji + radius_mm / widths + 1).astype(int)
    shape = np.array(geometry.shape_kji)
    ranges = [np.arange(max(a, 0), min(b + 1, s)) for a, b, s in zip(low, high, shape, strict=True)]
    grid = np.stack(np.meshgrid(*ranges, indexing="ij"), -1).reshape(-1, 3)
    offsets_mm = (grid - center_kji)[:, ::-1] @ axes.T
    near = np.linalg.norm(offsets_mm, axis=1) <= radius_mm
    near |= (grid == np.clip(np.rint(center_kji), 0, shape - 1)).all(axis=1)
    return tuple(grid[near].T)
