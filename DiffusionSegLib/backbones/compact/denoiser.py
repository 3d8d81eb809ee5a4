"""The denoising network: a text-conditioned U-Net over latents (Rombach et al. 2022, smaller)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from DiffusionSegLib.backbones.compact.attention import AttentionBlock
from DiffusionSegLib.backbones.compact.blocks import Downsample, ResidualBlock, Upsample
from DiffusionSegLib.backbones.compact.config import DenoiserConfig
from DiffusionSegLib.backbones.compact.time_embedding import TimeEmbedding

__all__ = ["Denoiser"]


class _Stage(nn.Module):
    """A residual block and, on levels that have it, attention."""

    def __init__(self, inside: int, level: int, c: DenoiserConfig) -> None:
        super().__init__()
        width = c.channels[level]
        self.block = ResidualBlock(inside, width, c.groups, c.time_width)
        attends = level in c.attention
        self.attention = AttentionBlock(width, c.head_width, c.text_width) if attends else None

    def forward(self, x: Tensor, time: Tensor, text: Tensor) -> Tensor:
        x = self.block(x, time)
        return x if self.attention is None else self.attention(x, text)


class _Down(nn.Module):
    """A level on the way down. Each stage's output is also left for the way up."""

    def __init__(self, level: int, c: DenoiserConfig) -> None:
        super().__init__()
        width = c.channels[level]
        self.smaller = Downsample(c.channels[level - 1], width) if level else nn.Identity()
        self.stages = nn.ModuleList(_Stage(width, level, c) for _ in range(c.blocks[level]))

    def forward(self, x: Tensor, time: Tensor, text: Tensor, left: list[Tensor]) -> Tensor:
        x = self.smaller(x)
        for stage in self.stages:
            x = stage(x, time, text)
            left.append(x)
        return x


class _Up(nn.Module):
    """A level on the way up. Each stage also reads what its counterpart left."""

    def __init__(self, level: int, c: DenoiserConfig) -> None:
        super().__init__()
        width = c.channels[level]
        self.stages = nn.ModuleList(_Stage(2 * width, level, c) for _ in range(c.blocks[level]))
        self.larger = Upsample(width, c.channels[level - 1]) if level else nn.Identity()

    def forward(self, x: Tensor, time: Tensor, text: Tensor, left: list[Tensor]) -> Tensor:
        for stage in self.stages:
            x = stage(torch.cat([x, left.pop()], dim=1), time, text)
        enlarged: Tensor = self.larger(x)
        return enlarged


class Denoiser(nn.Module):
    """Noisy latents, timesteps and token states to the velocity v = √ᾱ ε − √(1 − ᾱ) z.

    Velocity (Salimans & Ho 2022) and not noise: its scale is the same at all timesteps, so that a
    short training teaches clean and noisy latents alike. Sides of latents are multiples of
    2^halvings.
    """

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        self.config = c = config
        self.time = TimeEmbedding(c.time_width)
        self.first = nn.Conv2d(c.latent_channels, c.channels[0], 3, padding=1)
        levels = range(len(c.channels))
        self.down = nn.ModuleList(_Down(level, c) for level in levels)
        self.up = nn.ModuleList(_Up(level, c) for level in reversed(levels))
        self.norm = nn.GroupNorm(c.groups, c.channels[0])
        self.last = nn.Conv2d(c.channels[0], c.latent_channels, 3, padding=1)
        nn.init.zeros_(self.last.weight)

    def forward(self, latent: Tensor, timestep: Tensor, text: Tensor) -> Tensor:
        """latent: (B, latent_channels, rows, columns); timestep: (B,); text: (B, tokens, width)."""
        time = self.time(timestep)
        x = self.first(latent)
        left: list[Tensor] = []
        for level in (*self.down, *self.up):
            x = level(x, time, text, left)
        velocity: Tensor = self.last(F.silu(self.norm(x)))
        return velocity
