"""Spatial attention from the discriminator's features, used in training only.

The map is the plain channel mean of one feature level, resized to the mask: no absolute value, no
normalisation, no sigmoid, exactly as the released code has it. It multiplies the clean mask before
noise is added, so that the generator must recover the true mask from one whose regions were
re-weighted by what the discriminator finds telling.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from DiffusionSegLib.methods.cdal.discriminator import Discriminator


@torch.no_grad()
def attention_map(
    discriminator: Discriminator, mask: Tensor, timestep: Tensor, noisier: Tensor, level: int
) -> Tensor:
    """A, (B, 1, *spatial), from feature ``level`` (0 is start_conv) of the pair (x_t, x_{t+1})."""
    features = discriminator.features(mask, timestep, noisier, last=level)[level]
    mode = "bilinear" if mask.ndim == 4 else "trilinear"
    mean = features.mean(dim=1, keepdim=True)
    return F.interpolate(mean, size=mask.shape[2:], mode=mode, align_corners=False)
