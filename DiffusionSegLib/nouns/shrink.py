"""Averages whole blocks of voxels: the alias-free first step to a coarser grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .geometry import Geometry
from .image import Image

__all__ = ["block_mean", "onto_grid"]


def onto_grid(image: Image, target: Geometry) -> Image:
    """The image on another grid; averaged first where that grid is much coarser."""
    factors = _shrink_factors(image.geometry, target)
    if max(factors) > 1:
        image = block_mean(image, factors)
    return image.resampled(target)


def block_mean(image: Image, factors_kji: Sequence[int]) -> Image:
    """Mean over blocks of ``factors_kji`` voxels as float32, slab by slab; world positions stay.

    A last, incomplete block is averaged over the voxels that it has.
    """
    fk, fj, fi = factors_kji
    depth, height, width = image.geometry.shape_kji
    shape = (-(-depth // fk), -(-height // fj), -(-width // fi))
    out = np.empty((image.array.shape[0], *shape), np.float32)
    for index in range(shape[0]):
        slab = image.array[:, index * fk : (index + 1) * fk]
        plane = slab.mean(axis=1, dtype=np.float32)
        out[:, index] = _mean_axis(_mean_axis(plane, 1, fj), 2, fi)
    return Image(
        out, _coarser(image.geometry, shape, factors_kji), image.channel_names, image.dimension
    )


def _mean_axis(array: NDArray[np.float32], axis: int, factor: int) -> NDArray[np.float32]:
    if factor == 1:
        return array
    starts = np.arange(0, array.shape[axis], factor)
    counts = np.diff([*starts, array.shape[axis]]).astype(np.float32)
    shape = [-1 if a == axis else 1 for a in range(array.ndim)]
    sums: NDArray[np.float32] = np.add.reduceat(array, starts, axis=axis)
    sums /= counts.reshape(shape)
    return sums


def _coarser(
    geometry: Geometry, shape_kji: tuple[int, int, int], factors_kji: Sequence[int]
) -> Geometry:
    factors_ijk = np.array(list(factors_kji)[::-1], float)
    matrix = geometry.ijk_to_lps.copy()
    matrix[:3, 3] = (matrix @ [*((factors_ijk - 1) / 2), 1.0])[:3]
    matrix[:3, :3] *= factors_ijk
    return Geometry.from_ijk_to_lps(shape_kji, matrix)


def _shrink_factors(source: Geometry, target: Geometry) -> tuple[int, int, int]:
    """Whole blocks of source voxels that fit into a target voxel, along source k, j, i."""
    axes = np.linalg.inv(source.ijk_to_lps[:3, :3]) @ target.ijk_to_lps[:3, :3]
    widths_ijk = np.abs(axes).max(axis=1)
    fi, fj, fk = (max(1, int(width + 0.05)) for width in widths_ijk)
    return fk, fj, fi
