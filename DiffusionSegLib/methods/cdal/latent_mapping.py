"""The mapping network that turns the latent z into the style of every AdaGN layer."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from DiffusionSegLib.methods.cdal.fir import dense


class LatentMapping(nn.Module):
    """Pixel norm, then four linear layers with SiLU; (B, latent_size) to (B, latent_width)."""

    def __init__(self, latent_size: int, latent_width: int) -> None:
        super().__init__()
        widths = [latent_size, *[latent_width] * 4]
        self.layers = nn.ModuleList(dense(a, b) for a, b in pairwise(widths))

    def forward(self, latent: Tensor) -> Tensor:
        z = latent * torch.rsqrt(latent.square().mean(dim=1, keepdim=True) + 1e-8)
        for layer in self.layers:
            z = nn.functional.silu(layer(z))
        return z
