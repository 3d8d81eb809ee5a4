"""Full-resolution encoder of the image. It does not see the noisy mask, so one pass serves all."""

from __future__ import annotations

from torch import Tensor, nn

from DiffusionSegLib.methods.cdal.config import GeneratorConfig
from DiffusionSegLib.methods.cdal.fir import convolution


class ConditionBlock(nn.Module):
    """norm → SiLU → conv → norm → SiLU → dropout → conv (starts at zero), plus identity."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        channels = config.width
        groups = min(config.condition_groups, channels)
        self.norm_in = nn.GroupNorm(groups, channels, eps=1e-5)
        self.conv_in = convolution(config.dims, channels, channels)
        self.norm_out = nn.GroupNorm(groups, channels, eps=1e-5)
        self.dropout = nn.Dropout(config.dropout)
        self.conv_out = convolution(config.dims, channels, channels, zero=True)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv_in(nn.functional.silu(self.norm_in(x)))
        h = self.dropout(nn.functional.silu(self.norm_out(h)))
        out: Tensor = x + self.conv_out(h)
        return out


class ConditionEncoder(nn.Module):
    """(B, image_channels, *spatial) to (B, width, *spatial)."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.stem = convolution(config.dims, config.image_channels, config.width)
        self.blocks = nn.ModuleList(ConditionBlock(config) for _ in range(config.condition_blocks))

    def forward(self, image: Tensor) -> Tensor:
        h: Tensor = self.stem(image)
        for block in self.blocks:
            h = block(h)
        return h
