"""From a mask of voxels to the places of a latent that are filled anew."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

__all__ = ["grown_mask", "masked_places"]


def grown_mask(
    mask: NDArray[np.bool_], by_mm: float, spacing_mm: Sequence[float]
) -> NDArray[np.bool_]:
    """(*voxels): the mask and every voxel whose center lies within ``by_mm`` of that of a masked
    one, so that what shines beyond an outline is filled too (our choice; an unofficial reading of
    the paper takes three voxels).

    spacing_mm: of the mask's axes. Thick slices grow within themselves only, where the next slice
    is further away than ``by_mm``. Costs time with the mask's bounding box, not with the volume.
    """
    if by_mm <= 0 or not mask.any():
        return mask.copy()
    near = _bounding_box(mask, [int(by_mm / mm) + 1 for mm in spacing_mm])
    away_mm = ndimage.distance_transform_edt(~mask[near], sampling=tuple(spacing_mm))
    grown = np.zeros_like(mask)
    grown[near] = away_mm <= by_mm + 1e-6
    return grown


def masked_places(masks: Tensor, factor: int) -> Tensor:
    """(items, *places) bool of (items, *voxels) bool: a place is masked when any of its voxels
    is, since picking one voxel of each place loses thin masks. Sides are multiples of factor."""
    for axis in range(1, masks.ndim):
        masks = masks.unflatten(axis, (masks.shape[axis] // factor, factor)).any(dim=axis + 1)
    return masks


def _bounding_box(mask: NDArray[np.bool_], margin: Sequence[int]) -> tuple[slice, ...]:
    box = ndimage.find_objects(mask.astype(np.uint8))[0]
    return tuple(
        slice(max(0, side.start - more), min(count, side.stop + more))
        for side, more, count in zip(box, margin, mask.shape, strict=True)
    )
