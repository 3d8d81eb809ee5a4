"""The pixel-level residual: how far the picture is from its pseudo-healthy twin."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["difference_scale", "pixel_residual"]

_SMOOTH_PIXELS = 1.0
_SMALLEST_SCALE = 0.02  # of the range [0, 1]: what differs less is noise


def difference_scale(picture: NDArray[Any]) -> float:
    """What a difference is measured in: the deviation of the picture's tissue, all that is not
    nearly black. In place of the z-score of the whole image, which depends on how much air a crop
    shows (our choice)."""
    tissue = picture[picture > 0.05]
    return max(float(tissue.std()), _SMALLEST_SCALE) if tissue.size else _SMALLEST_SCALE


def pixel_residual(
    difference: NDArray[np.float32], scale: float, axes: tuple[int, ...]
) -> NDArray[np.float32]:
    """P_r = |x − x_H| / scale, smoothed a little along ``axes``; difference: x − x_H of any shape.

    Single pixels are noise of the decoder, not anatomy.
    """
    width = [_SMOOTH_PIXELS if axis in axes else 0.0 for axis in range(difference.ndim)]
    smooth = ndimage.gaussian_filter(np.abs(difference), width, mode="nearest")
    return np.asarray(smooth / scale, dtype=np.float32)
