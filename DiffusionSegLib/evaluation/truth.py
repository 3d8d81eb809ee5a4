"""The known outline of a case, on the grid of its image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.evaluation import metrics
from DiffusionSegLib.evaluation.label_pairs import LabelPair
from DiffusionSegLib.evaluation.scores import mean
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask

BoolArray = NDArray[np.bool_]
_MOST_LABELS = 160  # the whole body has been outlined in some 120 structures


@dataclass(frozen=True)
class Truth:
    """The known outline on the image's grid; `counted` is False where it says nothing."""

    mask: Mask
    counted: BoolArray


def read_truth(path: Path, image: Image, ignore_value: int | None = None) -> Truth:
    """The known outline of an image, put on its grid; raises InputError when sizes differ."""
    mask = Mask.read(path)
    values = np.count_nonzero(np.bincount(mask.array.reshape(-1)))
    if values > _MOST_LABELS:
        raise InputError(
            f"The outline {path.name} holds {values} different values, as an image does and no "
            "outline; give the file of its outline."
        )
    if mask.dimension == 2 and mask.geometry.shape_kji != image.geometry.shape_kji:
        raise InputError(
            f"The outline {path.name} has {mask.array.shape[1:]} pixels but its image "
            f"{image.array.shape[2:]}; both must have the same size."
        )
    if mask.dimension == 2:
        # A picture has no place in space, so equal size is equal place.
        mask = replace(mask, geometry=image.geometry)
    elif not mask.geometry.is_close(image.geometry):
        mask = mask.resampled(image.geometry)
    counted = np.ones(mask.array.shape, dtype=np.bool_)
    if ignore_value is not None:
        counted = mask.array != ignore_value
        mask = replace(mask, array=np.where(counted, mask.array, 0).astype(np.uint8))
    return Truth(mask, counted)


def foreground(pairs: Sequence[LabelPair], truth: Mask) -> BoolArray:
    """Where the truth has any of the compared labels."""
    return np.asarray(np.logical_or.reduce([pair.true(truth.array) for pair in pairs]))


def mean_dice(mask: Mask, truth: Truth, pairs: Sequence[LabelPair]) -> float:
    """Mean Dice over the compared labels, in the voxels that count."""
    return mean([metrics.dice(*both) for both in _compared(mask, truth, pairs)])


def mean_iou(mask: Mask, truth: Truth, pairs: Sequence[LabelPair]) -> float:
    """Mean IoU over the compared labels, in the voxels that count."""
    return mean([metrics.iou(*both) for both in _compared(mask, truth, pairs)])


def _compared(
    mask: Mask, truth: Truth, pairs: Sequence[LabelPair]
) -> Iterator[tuple[BoolArray, BoolArray]]:
    for pair in pairs:
        yield pair.predicted(mask.array) & truth.counted, pair.true(truth.mask.array)
