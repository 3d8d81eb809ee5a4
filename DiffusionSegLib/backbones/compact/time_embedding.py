"""Timesteps as vectors (Ho et al. 2020, after Vaswani et al. 2017)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

__all__ = ["TimeEmbedding"]

_SLOWEST = 10000.0
_WAVES = 64


class TimeEmbedding(nn.Module):
    """(B,) timesteps to (B, width), activated."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(2 * _WAVES, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU()
        )

    def forward(self, timestep: Tensor) -> Tensor:
        """timestep: integers or floats."""
        order = torch.arange(_WAVES, device=timestep.device, dtype=torch.float32) / _WAVES
        angle = timestep.float()[:, None] * torch.exp(-math.log(_SLOWEST) * order)
        waves = torch.cat([angle.sin(), angle.cos()], dim=1)
        embedded: Tensor = self.layers(waves.to(next(self.parameters()).dtype))
        return embedded
