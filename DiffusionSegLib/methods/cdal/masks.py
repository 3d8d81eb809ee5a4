"""Label values to the networks' mask channels and back.

One foreground label: a single channel, +1 object, -1 background. Several: one channel per class
with background first, as released for the hippocampus.
"""

from __future__ import annotations

import torch
from torch import Tensor


def mask_channels(labels: int) -> int:
    """Channels of the mask tensor for a number of foreground labels."""
    return 1 if labels == 1 else labels + 1


def encode_labels(classes: Tensor, labels: int) -> Tensor:
    """Classes (B, *spatial), 0 background and 1..labels, to (B, mask_channels, *spatial) of ±1."""
    if labels == 1:
        return (classes[:, None] > 0).float() * 2 - 1
    values = torch.arange(labels + 1, device=classes.device)
    shape = (1, -1, *[1] * (classes.ndim - 1))
    return (classes[:, None] == values.reshape(shape)).float() * 2 - 1


def foreground_probability(mask: Tensor, labels: int) -> Tensor:
    """Clean masks (B, mask_channels, *spatial) to probabilities (B, labels, *spatial)."""
    probability = ((mask.float() + 1) / 2).clamp(0, 1)
    return probability if labels == 1 else probability[:, 1:]
