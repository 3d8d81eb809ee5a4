"""Voxels from one grid onto another."""

from __future__ import annotations

from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.nouns.geometry import Geometry

__all__ = ["resample"]

_SLAB_VOXELS = 4_000_000


def resample(
    array: NDArray[Any],
    source: Geometry,
    target: Geometry,
    interpolation: str = "linear",
    outside: float | None = None,
    slab_voxels: int = _SLAB_VOXELS,
) -> NDArray[Any]:
    """`array` (channels, k, j, i) on `source` resampled onto `target`, in the same type.

    Integers are rounded to the nearest; voxels outside the source grid get `outside` (None: the
    smallest value of their channel). Works slab by slab, so that it holds one copy of one source
    channel and one slab besides the result; the size of the slab does not change the result.
    """
    if interpolation not in ("linear", "nearest"):
        raise InputError(f"Interpolation is 'linear' or 'nearest', not {interpolation!r}.")
    result = np.empty((len(array), *target.shape_kji), dtype=array.dtype)
    # Everything happens in voxel indices: both ITK images are plain unit grids and the world is
    # in the transform. So sheared directions, which ITK does not take, need no special care, and a
    # slab's start is a whole number that adds no rounding.
    to_source = source.lps_to_ijk @ target.ijk_to_lps
    transform = sitk.AffineTransform(3)
    transform.SetMatrix(to_source[:3, :3].ravel().tolist())
    transform.SetTranslation(to_source[:3, 3].tolist())
    for channel, output in zip(array, result, strict=True):
        _resample_channel(channel, output, transform, interpolation, outside, slab_voxels)
    return result


def _resample_channel(
    channel: NDArray[Any],
    output: NDArray[Any],
    transform: sitk.AffineTransform,
    interpolation: str,
    outside: float | None,
    slab_voxels: int,
) -> None:
    moving = sitk.GetImageFromArray(_itk_readable(channel), isVector=False)
    resampler = sitk.ResampleImageFilter()
    resampler.SetTransform(transform)
    resampler.SetInterpolator(
        sitk.sitkLinear if interpolation == "linear" else sitk.sitkNearestNeighbor
    )
    resampler.SetDefaultPixelValue(float(channel.min()) if outside is None else float(outside))
    exact = _interpolation_type(channel.dtype)
    if interpolation == "linear":
        resampler.SetOutputPixelType(exact)
    slices, rows, columns = output.shape
    thickness = max(1, slab_voxels // (rows * columns))
    for start in range(0, slices, thickness):
        stop = min(start + thickness, slices)
        resampler.SetSize((columns, rows, stop - start))
        resampler.SetOutputOrigin((0.0, 0.0, float(start)))
        resampled = resampler.Execute(moving)  # must outlive the view of its memory
        slab = sitk.GetArrayViewFromImage(resampled)
        output[start:stop] = np.rint(slab) if output.dtype.kind in "bui" else slab


def _itk_readable(channel: NDArray[Any]) -> NDArray[Any]:
    """ITK knows neither half floats nor truth values."""
    if channel.dtype == np.float16:
        return channel.astype(np.float32)
    return channel.astype(np.uint8) if channel.dtype == np.bool_ else channel


def _interpolation_type(dtype: np.dtype[Any]) -> int:
    # float32 holds every integer of up to 24 bits exactly.
    wide = dtype.itemsize > (4 if dtype.kind == "f" else 2)
    return int(sitk.sitkFloat64 if wide else sitk.sitkFloat32)
