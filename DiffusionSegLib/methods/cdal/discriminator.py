"""cDAL's discriminator: tells a real (x_t, x_{t+1}) pair of noisy masks from a generated one."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from DiffusionSegLib.methods.cdal.config import DiscriminatorConfig
from DiffusionSegLib.methods.cdal.fir import convolution, dense, fir_down
from DiffusionSegLib.methods.cdal.time_embedding import sinusoid

_LEAK = 0.2
_LARGEST_GROUP = 4


class DownBlock(nn.Module):
    """LReLU → conv → + time → LReLU → [FIR down both branches] → conv; skip 1×1; sum / √2."""

    def __init__(
        self, config: DiscriminatorConfig, in_channels: int, out_channels: int, halve: bool
    ):
        super().__init__()
        self.halve = halve
        self.conv_in = convolution(config.dims, in_channels, out_channels)
        self.time = dense(config.time_width, out_channels)
        self.conv_out = convolution(config.dims, out_channels, out_channels, zero=True)
        self.skip = convolution(config.dims, in_channels, out_channels, size=1, bias=False)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        h = self.conv_in(F.leaky_relu(x, _LEAK))
        h = h + self.time(time).reshape(*h.shape[:2], *[1] * (h.ndim - 2))
        h = F.leaky_relu(h, _LEAK)
        if self.halve:
            h, x = fir_down(h), fir_down(x)
        return (self.conv_out(h) + self.skip(x)) * math.sqrt(0.5)


class Discriminator(nn.Module):
    """One logit per pair: positive means "real". Its features also steer the spatial attention."""

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        self.config = config
        first, last = config.channels[0], config.channels[-1]
        self.time_in = dense(config.time_width, config.time_width)
        self.time_out = dense(config.time_width, config.time_width)
        self.start = convolution(config.dims, 2 * config.mask_channels, first, size=1)
        pairs = zip(config.channels[:-1], config.channels[1:], config.halves, strict=True)
        self.blocks = nn.ModuleList(DownBlock(config, a, b, halve) for a, b, halve in pairs)
        self.final = convolution(config.dims, last + 1, last)
        self.end = dense(last, 1)

    def forward(self, mask: Tensor, timestep: Tensor, noisier: Tensor) -> Tensor:
        """mask x_t, noisier x_{t+1}: (B, mask_channels, *spatial); timestep: (B,) → (B,) logits."""
        h = self.features(mask, timestep, noisier)[-1]
        h = torch.cat([h, minibatch_deviation(h)], dim=1)
        h = F.leaky_relu(self.final(h), _LEAK)
        logits: Tensor = self.end(h.flatten(2).sum(dim=2))
        return logits[:, 0]

    def features(
        self, mask: Tensor, timestep: Tensor, noisier: Tensor, last: int | None = None
    ) -> list[Tensor]:
        """[start_conv, block 1, block 2, ...], up to index ``last`` when given."""
        time = sinusoid(timestep, self.config.time_width).to(mask.dtype)
        time = self.time_out(F.leaky_relu(self.time_in(time), _LEAK))
        time = F.leaky_relu(time, _LEAK)
        maps: list[Tensor] = [self.start(torch.cat([mask, noisier], dim=1))]
        for block in self.blocks[:last]:
            maps.append(block(maps[-1], time))
        return maps


def minibatch_deviation(x: Tensor) -> Tensor:
    """Standard deviation across groups of samples, (B, C, *spatial) → (B, 1, *spatial).

    The group is 4, or the largest smaller size that divides the batch (the released code requires
    a divisible batch; choosing a divisor is our choice).
    """
    batch = x.shape[0]
    group = next(g for g in range(min(batch, _LARGEST_GROUP), 0, -1) if batch % g == 0)
    grouped = x.reshape(group, batch // group, *x.shape[1:])
    deviation = torch.sqrt(grouped.var(dim=0, unbiased=False) + 1e-8)
    mean = deviation.flatten(1).mean(dim=1)
    mean = mean.reshape(1, -1).expand(group, -1).reshape(batch, *[1] * (x.ndim - 1))
    return mean.expand(batch, 1, *x.shape[2:])
