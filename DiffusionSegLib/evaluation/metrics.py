"""Agreement of two outlines: Dice, IoU, 95th percentile Hausdorff distance, volume error.

Every function takes two boolean arrays of the same shape (2D or 3D). When both are empty they
agree perfectly (Dice 1, IoU 1, distance 0, volume error 0). When only one is empty, Dice and
IoU are 0 and a distance or a relative volume that has no meaning is NaN.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from DiffusionSegLib.errors import InputError

BoolArray = NDArray[np.bool_]
HAUSDORFF_PERCENTILE = 95.0


def dice(predicted: BoolArray, truth: BoolArray) -> float:
    """2|A∩B| / (|A|+|B|) in [0, 1]."""
    _check_shapes(predicted, truth)
    total = int(predicted.sum()) + int(truth.sum())
    if total == 0:
        return 1.0
    return 2.0 * int(np.logical_and(predicted, truth).sum()) / total


def iou(predicted: BoolArray, truth: BoolArray) -> float:
    """|A∩B| / |A∪B| in [0, 1]."""
    _check_shapes(predicted, truth)
    union = int(np.logical_or(predicted, truth).sum())
    if union == 0:
        return 1.0
    return int(np.logical_and(predicted, truth).sum()) / union


def volume_error_percent(predicted: BoolArray, truth: BoolArray) -> float:
    """Signed: +10 means a tenth too large. NaN when only the truth is empty."""
    _check_shapes(predicted, truth)
    predicted_voxels, true_voxels = int(predicted.sum()), int(truth.sum())
    if true_voxels == 0:
        return 0.0 if predicted_voxels == 0 else float("nan")
    return 100.0 * (predicted_voxels - true_voxels) / true_voxels


def hausdorff95(predicted: BoolArray, truth: BoolArray, spacing: Sequence[float]) -> float:
    """95th percentile of the surface distance in mm, the larger of the two directions.

    `spacing` is in mm, in the order of the arrays' axes. A surface voxel is one with a
    neighbour across a face that is outside the object; the image's border counts as outside.
    NaN when exactly one is empty.
    """
    _check_shapes(predicted, truth)
    if len(spacing) != predicted.ndim:
        raise InputError(
            f"{len(spacing)} spacings were given for an array of {predicted.ndim} axes; "
            "give one spacing per axis."
        )
    if not predicted.any() or not truth.any():
        return 0.0 if predicted.any() == truth.any() else float("nan")
    window = _bounding_box(np.logical_or(predicted, truth))
    first, second = _surface(predicted[window]), _surface(truth[window])
    return max(_directed(first, second, spacing), _directed(second, first, spacing))


def _directed(source: BoolArray, target: BoolArray, spacing: Sequence[float]) -> float:
    distance_to_target = ndimage.distance_transform_edt(~target, sampling=spacing)
    return float(np.percentile(distance_to_target[source], HAUSDORFF_PERCENTILE))


def _surface(mask: BoolArray) -> BoolArray:
    inside: BoolArray = ndimage.binary_erosion(mask)
    return np.logical_xor(mask, inside)


def _bounding_box(mask: BoolArray) -> tuple[slice, ...]:
    """The smallest block that holds both objects: no surface or nearest point lies outside."""
    return tuple(ndimage.find_objects(mask.astype(np.uint8))[0])


def _check_shapes(predicted: BoolArray, truth: BoolArray) -> None:
    if predicted.shape != truth.shape:
        raise InputError(
            f"The outline has shape {predicted.shape} but the known one has {truth.shape}; "
            "compare them on the same grid."
        )
