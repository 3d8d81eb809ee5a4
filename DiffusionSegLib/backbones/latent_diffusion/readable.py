"""Whether a model of pictures can read an image."""

from __future__ import annotations

from torch import Tensor

from DiffusionSegLib.backbones.latent_diffusion.interface import LatentDiffusion
from DiffusionSegLib.errors import InputError

__all__ = ["check_readable"]


def check_readable(model: LatentDiffusion, image: Tensor) -> None:
    """image: (B, channels, rows, columns); raises InputError unless its channels are the model's
    and its sides multiples of ``image_multiple``."""
    _, channels, rows, columns = image.shape
    multiple = model.image_multiple
    if channels != model.image_channels or rows % multiple or columns % multiple:
        raise InputError(
            f"The model {model.name} reads {model.image_channels} channels with sides that are "
            f"multiples of {multiple}, not {channels} channels of {rows} x {columns}."
        )
