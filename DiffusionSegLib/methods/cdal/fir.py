"""Anti-aliased resampling by two with StyleGAN's [1, 3, 3, 1] FIR filter, in 2D and 3D.

Borders are zero-padded as in the released code. The filter is separable and is written with its
polyphase components, so that no zero-stuffed intermediate is ever made.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def fir_down(x: Tensor) -> Tensor:
    """Halve every spatial axis of (B, C, *even sizes)."""
    for axis in range(2, x.ndim):
        x = _down_axis(x, axis)
    return x


def fir_up(x: Tensor) -> Tensor:
    """Double every spatial axis of (B, C, *sizes)."""
    for axis in range(2, x.ndim):
        x = _up_axis(x, axis)
    return x


class PyramidDown(nn.Module):
    """FIR filter, then a 3-wide convolution of stride 2: one step of the input pyramid."""

    def __init__(self, dims: int, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = convolution(dims, in_channels, out_channels, stride=2, padding=0)

    def forward(self, x: Tensor) -> Tensor:
        for axis in range(2, x.ndim):
            x = _blur_axis(x, axis)
        out: Tensor = self.conv(x)
        return out


def convolution(
    dims: int,
    in_channels: int,
    out_channels: int,
    size: int = 3,
    stride: int = 1,
    padding: int | None = None,
    bias: bool = True,
    zero: bool = False,
) -> nn.Conv2d | nn.Conv3d:
    """A 2D or 3D convolution with the released initialisation (fan-average uniform, or zero)."""
    kind = nn.Conv2d if dims == 2 else nn.Conv3d
    pad = size // 2 if padding is None else padding
    layer = kind(in_channels, out_channels, size, stride=stride, padding=pad, bias=bias)
    initialise(layer, zero)
    return layer


def dense(in_features: int, out_features: int, zero: bool = False) -> nn.Linear:
    """A linear layer with the released initialisation."""
    layer = nn.Linear(in_features, out_features)
    initialise(layer, zero)
    return layer


def initialise(layer: nn.Conv2d | nn.Conv3d | nn.Linear, zero: bool) -> None:
    """Fan-average uniform weights (the released scale 1), or zeros (the released scale 1e-10)."""
    if zero:
        nn.init.zeros_(layer.weight)
    else:
        nn.init.xavier_uniform_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def _pad_axis(x: Tensor, axis: int, before: int, after: int) -> Tensor:
    pads = [0, 0] * (x.ndim - 1 - axis) + [before, after]
    return F.pad(x, pads)


def _down_axis(x: Tensor, axis: int) -> Tensor:
    size = x.shape[axis]
    if size % 2:
        raise ValueError(f"axis {axis} has odd size {size}; pad the image to a multiple of 2")
    padded = _pad_axis(x, axis, 1, 1).unflatten(axis, (size // 2 + 1, 2))
    even, odd = padded.unbind(axis + 1)
    half = size // 2
    outer = even.narrow(axis, 0, half) + odd.narrow(axis, 1, half)
    inner = odd.narrow(axis, 0, half) + even.narrow(axis, 1, half)
    return torch.add(outer, inner, alpha=3).mul(1 / 8)


def _up_axis(x: Tensor, axis: int) -> Tensor:
    size = x.shape[axis]
    padded = _pad_axis(x, axis, 1, 1)
    before, after = padded.narrow(axis, 0, size), padded.narrow(axis, 2, size)
    main = 0.75 * x
    left, right = torch.add(main, before, alpha=0.25), torch.add(main, after, alpha=0.25)
    return torch.stack([left, right], axis + 1).flatten(axis, axis + 1)


def _blur_axis(x: Tensor, axis: int) -> Tensor:
    size = x.shape[axis]
    padded = _pad_axis(x, axis, 2, 2)
    taps = [padded.narrow(axis, k, size + 1) for k in range(4)]
    return torch.add(taps[0] + taps[3], taps[1] + taps[2], alpha=3).mul(1 / 8)
