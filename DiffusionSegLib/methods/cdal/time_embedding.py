"""Sinusoidal embedding of the integer timestep."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def sinusoid(timestep: Tensor, width: int) -> Tensor:
    """(B,) integers to (B, width): a sine block, then a cosine block, periods up to 10000·2π."""
    half = width // 2
    rate = math.log(10000) / (half - 1)
    frequency = torch.exp(-rate * torch.arange(half, device=timestep.device, dtype=torch.float32))
    angle = timestep.float()[:, None] * frequency[None]
    return torch.cat([angle.sin(), angle.cos()], dim=1)
