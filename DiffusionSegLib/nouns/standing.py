"""The same voxels in the storage order nearest to left, posterior, superior, and other orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image

__all__ = ["reordered_geometry", "standing_geometry", "standing_image", "thickest_axis"]


def standing_image(image: Image) -> Image:
    """The same voxels at the same places, stored along L, P, S; a view, not a copy."""
    order, signs = _nearest_axes(np.asarray(image.geometry.direction))
    array = image.array.transpose(0, *(3 - source for source in reversed(order)))
    array = array[(slice(None), *(slice(None, None, sign) for sign in reversed(signs)))]
    return replace(image, array=array, geometry=standing_geometry(image.geometry))


def standing_geometry(geometry: Geometry) -> Geometry:
    """The same voxels, stored with axes nearest to left, posterior, superior: no interpolation."""
    return _reordered(geometry, *_nearest_axes(np.asarray(geometry.direction)))


def reordered_geometry(geometry: Geometry, axes_kji: Sequence[int]) -> Geometry:
    """The same voxels with axes ``axes_kji`` of (k, j, i) in the place of k, j and i."""
    order_ijk = [2 - axis for axis in reversed(axes_kji)]
    return _reordered(geometry, order_ijk, [1, 1, 1])


def _reordered(geometry: Geometry, order_ijk: Sequence[int], signs: Sequence[int]) -> Geometry:
    shape_ijk = np.array(geometry.shape_kji[::-1])
    matrix = geometry.ijk_to_lps
    turned = np.eye(4)
    turned[:3, 3] = matrix[:3, 3]
    for target, (source, sign) in enumerate(zip(order_ijk, signs, strict=True)):
        turned[:3, target] = matrix[:3, source] * sign
        if sign < 0:
            turned[:3, 3] += matrix[:3, source] * (shape_ijk[source] - 1)
    shape = [int(shape_ijk[source]) for source in order_ijk]
    return Geometry.from_ijk_to_lps(shape[::-1], turned)


def _nearest_axes(direction: np.ndarray[Any, Any]) -> tuple[list[int], list[int]]:
    """For each of L, P, S: the storage axis closest to it, and its sign; each axis used once."""
    strength = np.abs(direction)
    order, signs = [-1] * 3, [1] * 3
    for _ in range(3):
        world, axis = np.unravel_index(int(np.argmax(strength)), (3, 3))
        order[world], signs[world] = int(axis), 1 if direction[world, axis] >= 0 else -1
        strength[world, :] = strength[:, axis] = -1
    return order, signs


def thickest_axis(geometry: Geometry) -> int:
    """Of (k, j, i), that across the thickest slices, which show most within each; of equal ones
    the first; 0 for a single slice."""
    if geometry.shape_kji[0] == 1:
        return 0
    kji = geometry.spacing_mm[::-1]
    return max(range(3), key=lambda axis: (round(kji[axis], 3), -axis))
