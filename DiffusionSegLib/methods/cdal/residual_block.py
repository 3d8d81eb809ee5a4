"""The generator's residual block (BigGAN style), modulated by time and latent."""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor, nn

from DiffusionSegLib.methods.cdal.adagn import AdaptiveGroupNorm
from DiffusionSegLib.methods.cdal.config import GeneratorConfig
from DiffusionSegLib.methods.cdal.fir import convolution, dense, fir_down, fir_up

_RESAMPLE: dict[str, Callable[[Tensor], Tensor]] = {"down": fir_down, "up": fir_up}


class ResidualBlock(nn.Module):
    """AdaGN → SiLU → [resample both branches] → conv → + time → AdaGN → SiLU → dropout → conv.

    The sum with the skip branch is divided by √2. resample: "", "down" or "up".
    """

    def __init__(
        self, config: GeneratorConfig, in_channels: int, out_channels: int, resample: str = ""
    ) -> None:
        super().__init__()
        dims, latent_width = config.dims, config.latent_width
        self.resample = _RESAMPLE.get(resample)
        self.norm_in = AdaptiveGroupNorm(in_channels, latent_width)
        self.conv_in = convolution(dims, in_channels, out_channels)
        self.time = dense(config.time_width, out_channels)
        self.norm_out = AdaptiveGroupNorm(out_channels, latent_width)
        self.dropout = nn.Dropout(config.dropout)
        self.conv_out = convolution(dims, out_channels, out_channels, zero=True)
        needs_skip = in_channels != out_channels or self.resample is not None
        self.skip = convolution(dims, in_channels, out_channels, size=1) if needs_skip else None

    def forward(self, x: Tensor, time: Tensor, latent: Tensor) -> Tensor:
        """x: (B, C, *spatial); time: (B, time_width) after its SiLU; latent: (B, latent_width)."""
        h = nn.functional.silu(self.norm_in(x, latent))
        if self.resample is not None:
            h, x = self.resample(h), self.resample(x)
        h = self.conv_in(h)
        h = h + self.time(time).reshape(-1, h.shape[1], *[1] * (h.ndim - 2))
        h = self.dropout(nn.functional.silu(self.norm_out(h, latent)))
        h = self.conv_out(h)
        if self.skip is not None:
            x = self.skip(x)
        return (x + h) * math.sqrt(0.5)
