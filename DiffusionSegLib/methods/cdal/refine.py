"""Refinement: the mask to start from, as the network wants it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from DiffusionSegLib.methods.cdal.masks import encode_labels
from DiffusionSegLib.methods.constraints import FREE, Fixed, class_indices
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.mask import Mask


def start_mask(
    mask: Mask | None, values: Sequence[int], grid: Geometry, fixed: Fixed
) -> NDArray[np.float32]:
    """The given mask with the fixed voxels in it, as ±1 (mask_channels, K, J, I) on the grid."""
    if mask is None:
        classes = np.zeros(grid.shape_kji, np.int16)
    else:
        classes = class_indices(mask.resampled(grid).array, values)
    return encoded_mask(np.where(fixed != FREE, fixed, classes), len(values))


def encoded_mask(classes: NDArray[np.integer], labels: int) -> NDArray[np.float32]:
    """Class indices (K, J, I) as ±1 (mask_channels, K, J, I)."""
    return encode_labels(torch.from_numpy(classes.astype(np.int64))[None], labels)[0].numpy()
