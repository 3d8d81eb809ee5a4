"""What an image must be before anything is computed; raises InputError with what to do."""

from __future__ import annotations

import numpy as np

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.nouns.image import Image

__all__ = ["check_image"]

_FEWEST_PIXELS = 8


def check_image(image: Image, dims: int, model: str) -> None:
    """Two values at least, a volume for a three-dimensional model, and enough voxels."""
    if not image.is_rgb and len(image.array) > 1:
        names = ", ".join(image.channel_names)
        raise InputError(
            f"The model {model} reads one channel, but this image has {len(image.array)} "
            f"({names}); give one of them."
        )
    shape = image.geometry.shape_kji
    if dims == 3 and shape[0] < 2:
        raise InputError(
            f"The model {model} works in three dimensions, but this image has a single slice; open "
            "the whole volume, or choose a model for pictures."
        )
    if sorted(shape)[-2] < _FEWEST_PIXELS:
        raise InputError(
            f"This image or region of {' x '.join(map(str, shape))} voxels (slices, rows, columns) "
            f"is too small; it needs at least {_FEWEST_PIXELS} along two sides."
        )
    gray = image.array.mean(axis=0, dtype=np.float32) if image.is_rgb else image.array[0]
    if float(gray.min()) == float(gray.max()):
        raise InputError(
            f"All voxels of this image or region are {float(gray.flat[0]):g}"
            f"{' in gray, the mean of their colors' if image.is_rgb else ''}; there is nothing to "
            "outline. Check the file and the region."
        )
