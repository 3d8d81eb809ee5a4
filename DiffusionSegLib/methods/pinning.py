"""What the user fixed in a mask, and putting it back into a probability voxel by voxel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.methods.constraints import (
    FREE,
    Fixed,
    class_indices,
    edited_voxels,
    prompt_constraints,
)
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Box, Prompt

__all__ = ["pin", "user_voxels"]


def user_voxels(
    mask: Mask, original: Mask | None, values: Sequence[int], prompt: Prompt, brush_mm: float
) -> Fixed:
    """Class indices of painted (> 0) and erased (0) voxels, FREE elsewhere, on the mask's grid.

    original: the mask before the edits; None when it is not known, then only the prompt fixes.
    """
    fixed = np.full(mask.array.shape, FREE, np.int16)
    if original is not None:
        fixed = edited_voxels(mask, original.resampled(mask.geometry), values)
    likely = np.maximum(class_indices(mask.array, values), 1)
    marked = prompt_constraints(prompt, mask.geometry, likely, brush_mm)
    return fixed if marked is None else np.where(marked != FREE, marked, fixed).astype(np.int16)


def pin(probability: Image, geometry: Geometry, fixed: Fixed | None, boxes: Sequence[Box]) -> Image:
    """The probability on the original grid: fixed voxels exactly 1 or 0, and 0 outside boxes."""
    array = np.array(probability.resampled(geometry, outside=0.0).array)
    if boxes:
        allowed = np.zeros(geometry.shape_kji, bool)
        for box in boxes:
            _fill_box(allowed, box, geometry)
        array[:, ~allowed] = 0
    if fixed is not None:
        for index in range(len(array)):
            array[index][fixed != FREE] = (fixed[fixed != FREE] == index + 1).astype(array.dtype)
    return Image(array, geometry, dimension=probability.dimension)


def _fill_box(allowed: NDArray[np.bool_], box: Box, geometry: Geometry) -> None:
    """Mark the voxels whose centre lies in the (possibly rotated) box."""
    slices = box.slices_kji(geometry)
    ranges = [np.arange(part.start, part.stop) for part in slices]
    centers = np.stack(np.meshgrid(*ranges, indexing="ij"), -1).reshape(-1, 3)
    positions = geometry.kji_to_ras(centers)
    if geometry.shape_kji[0] == 1:  # a picture has no depth to compare
        normal = np.cross(*geometry.ijk_to_ras[:3, :2].T)
        normal /= np.linalg.norm(normal)
        depth = (np.asarray(box.center_ras) - positions) @ normal
        positions = positions + depth[:, None] * normal
    inside = box.contains(positions, 1e-6).reshape([len(r) for r in ranges])
    allowed[slices] |= inside
