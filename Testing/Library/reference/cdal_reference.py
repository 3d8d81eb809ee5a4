"""A second, slow cDAL: plain functions over released key names, written from a description alone.

It shares no line with DiffusionSegLib. Filters are explicit (zero insertion, a full 4 x 4 kernel),
attention is an explicit softmax, normalisation is done by hand. Both must agree.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

Weights = Mapping[str, Tensor]


@dataclass(frozen=True)
class Shape:
    """nf, channel multipliers, residual blocks, levels with attention, condition blocks."""

    nf: int
    multipliers: tuple[int, ...]
    blocks: int
    attention: tuple[int, ...]
    condition_blocks: int


SHAPES = {
    "lung": Shape(32, (1, 1, 2, 2, 4, 4), 1, (4,), 6),
    "monuseg": Shape(64, (1, 1, 1, 2, 2, 4, 4), 2, (4, 5), 5),
    "hippocampus": Shape(32, (1, 2, 2, 2), 2, (1,), 6),
    "hippocampus-1": Shape(32, (1, 2, 2, 2), 1, (1,), 6),
}


class ReferenceGenerator:
    """Walks the flat list of modules with a counter: the n-th call uses the n-th entry."""

    def __init__(self, weights: Weights, shape: Shape) -> None:
        self.weights = {key.removeprefix("module."): value for key, value in weights.items()}
        self.shape = shape
        self.next = 0

    def __call__(self, x: Tensor, timestep: Tensor, image: Tensor, z: Tensor) -> Tensor:
        self.next = 0
        s = self.shape
        latent = self._latent(z)
        time = sinusoid(timestep, s.nf, x.dtype)
        time = self._linear(self._entry(), time)
        time = self._linear(self._entry(), F.silu(time))
        condition = self._conv(self._entry(), image)
        for _ in range(s.condition_blocks):
            condition = self._condition_block(condition)
        h = self._conv(self._entry(), x) + condition
        pyramid, skips = x, [h]
        for level in range(len(s.multipliers)):
            for _ in range(s.blocks):
                h = self._residual(h, time, latent)
                if level in s.attention:
                    h = self._attention(h)
                skips.append(h)
            if level != len(s.multipliers) - 1:
                h = self._residual(h, time, latent, fir_down)
                pyramid = self._pyramid(pyramid)
                h = pyramid = (pyramid + h) / math.sqrt(2)
                skips.append(h)
        h = self._residual(h, time, latent)
        h = self._attention(h)
        h = self._residual(h, time, latent)
        for level in reversed(range(len(s.multipliers))):
            for _ in range(s.blocks + 1):
                h = self._residual(torch.cat([h, skips.pop()], dim=1), time, latent)
            if level in s.attention:
                h = self._attention(h)
            if level != 0:
                h = self._residual(h, time, latent, fir_up)
        key = self._entry()
        h = affine(group_norm(h, min(h.shape[1] // 4, 32), 1e-6), self._pair(key))
        h = self._conv(self._entry(), F.silu(h))
        assert not skips
        assert self.next == 1 + max(int(k.split(".")[1]) for k in self.weights if k[0] == "a")
        return torch.tanh(h)

    def _entry(self) -> str:
        self.next += 1
        return f"all_modules.{self.next - 1}"

    def _pair(self, key: str) -> tuple[Tensor, Tensor]:
        return self.weights[f"{key}.weight"], self.weights[f"{key}.bias"]

    def _linear(self, key: str, x: Tensor) -> Tensor:
        weight, bias = self._pair(key)
        return x @ weight.T + bias

    def _conv(self, key: str, x: Tensor) -> Tensor:
        weight, bias = self._pair(key)
        return F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2)

    def _latent(self, z: Tensor) -> Tensor:
        z = z / torch.sqrt((z * z).mean(dim=1, keepdim=True) + 1e-8)
        for index in (1, 3, 5, 7):
            z = F.silu(self._linear(f"z_transform.{index}", z))
        return z

    def _condition_block(self, x: Tensor) -> Tensor:
        key = self._entry()
        h = affine(group_norm(x, 32, 1e-5), self._pair(f"{key}.0.in_layers.0"))
        h = self._conv(f"{key}.0.in_layers.2", F.silu(h))
        h = affine(group_norm(h, 32, 1e-5), self._pair(f"{key}.0.out_layers.0"))
        return x + self._conv(f"{key}.0.out_layers.3", F.silu(h))

    def _adaptive_norm(self, key: str, x: Tensor, latent: Tensor) -> Tensor:
        channels = x.shape[1]
        style = self._linear(f"{key}.style", latent)[:, :, None, None]
        normal = group_norm(x, min(channels // 4, 32), 1e-6)
        return style[:, :channels] * normal + style[:, channels:]

    def _residual(self, x: Tensor, time: Tensor, latent: Tensor, resample=None) -> Tensor:
        key = self._entry()
        h = F.silu(self._adaptive_norm(f"{key}.GroupNorm_0", x, latent))
        if resample is not None:
            h, x = resample(h), resample(x)
        h = self._conv(f"{key}.Conv_0", h)
        h = h + self._linear(f"{key}.Dense_0", F.silu(time))[:, :, None, None]
        h = F.silu(self._adaptive_norm(f"{key}.GroupNorm_1", h, latent))
        h = self._conv(f"{key}.Conv_1", h)
        if f"{key}.Conv_2.weight" in self.weights:
            x = self._conv(f"{key}.Conv_2", x)
        return (x + h) / math.sqrt(2)

    def _attention(self, x: Tensor) -> Tensor:
        key = self._entry()
        batch, channels, height, width = x.shape
        h = affine(group_norm(x, min(channels // 4, 32), 1e-6), self._pair(f"{key}.GroupNorm_0"))
        h = h.reshape(batch, channels, -1)
        q, k, v = (self._nin(f"{key}.NIN_{n}", h) for n in range(3))
        score = torch.einsum("bcn,bcm->bnm", q, k) / math.sqrt(channels)
        score = torch.exp(score - score.max(dim=2, keepdim=True).values)
        score = score / score.sum(dim=2, keepdim=True)
        h = self._nin(f"{key}.NIN_3", torch.einsum("bnm,bcm->bcn", score, v))
        return (x + h.reshape(batch, channels, height, width)) / math.sqrt(2)

    def _nin(self, key: str, x: Tensor) -> Tensor:
        weight, bias = self.weights[f"{key}.W"], self.weights[f"{key}.b"]
        return torch.einsum("bin,io->bon", x, weight) + bias[:, None]

    def _pyramid(self, x: Tensor) -> Tensor:
        weight, bias = self._pair(f"{self._entry()}.Conv2d_0")
        return F.conv2d(filtered(F.pad(x, (2, 2, 2, 2)), 1.0), weight, bias, stride=2)


class ReferenceDiscriminator:
    """Keys: time.0, time.1, start, block.{i}.{first,time,second,skip}, final, end."""

    def __init__(self, weights: Weights, time_width: int, halves: tuple[bool, ...]) -> None:
        self.weights, self.time_width, self.halves = weights, time_width, halves

    def __call__(self, mask: Tensor, timestep: Tensor, noisier: Tensor) -> Tensor:
        h = self.features(mask, timestep, noisier)[-1]
        h = torch.cat([h, minibatch_deviation(h)], dim=1)
        h = leaky(self._conv("final", h))
        return (self._linear("end", h.sum(dim=(2, 3))))[:, 0]

    def features(self, mask: Tensor, timestep: Tensor, noisier: Tensor) -> list[Tensor]:
        time = self._linear("time.0", sinusoid(timestep, self.time_width, mask.dtype))
        time = leaky(self._linear("time.1", leaky(time)))
        maps = [self._conv("start", torch.cat([mask, noisier], dim=1))]
        for index, halve in enumerate(self.halves):
            x = maps[-1]
            h = self._conv(f"block.{index}.first", leaky(x))
            h = leaky(h + self._linear(f"block.{index}.time", time)[:, :, None, None])
            if halve:
                h, x = fir_down(h), fir_down(x)
            h = self._conv(f"block.{index}.second", h)
            skip = F.conv2d(x, self.weights[f"block.{index}.skip.weight"])
            maps.append((h + skip) / math.sqrt(2))
        return maps

    def _linear(self, key: str, x: Tensor) -> Tensor:
        return x @ self.weights[f"{key}.weight"].T + self.weights[f"{key}.bias"]

    def _conv(self, key: str, x: Tensor) -> Tensor:
        weight = self.weights[f"{key}.weight"]
        return F.conv2d(x, weight, self.weights[f"{key}.bias"], padding=weight.shape[-1] // 2)


def sinusoid(timestep: Tensor, width: int, dtype: torch.dtype) -> Tensor:
    """One row per time: sines, then cosines."""
    half = width // 2
    rows = []
    for t in timestep.tolist():
        angles = [t * math.exp(-k * math.log(10000) / (half - 1)) for k in range(half)]
        rows.append([math.sin(a) for a in angles] + [math.cos(a) for a in angles])
    return torch.tensor(rows, dtype=dtype)


def leaky(x: Tensor) -> Tensor:
    return torch.where(x > 0, x, 0.2 * x)


def group_norm(x: Tensor, groups: int, eps: float) -> Tensor:
    """Zero mean and unit (biased) variance within every group of channels of every sample."""
    grouped = x.reshape(x.shape[0], groups, -1)
    mean = grouped.mean(dim=2, keepdim=True)
    variance = ((grouped - mean) ** 2).mean(dim=2, keepdim=True)
    return ((grouped - mean) / torch.sqrt(variance + eps)).reshape(x.shape)


def affine(x: Tensor, pair: tuple[Tensor, Tensor]) -> Tensor:
    weight, bias = pair
    return x * weight[:, None, None] + bias[:, None, None]


def filtered(x: Tensor, gain: float) -> Tensor:
    """Every channel convolved with outer([1, 3, 3, 1]), whose sum is ``gain``; no padding."""
    line = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=x.dtype)
    kernel = torch.outer(line, line)
    kernel = (kernel * gain / kernel.sum()).expand(x.shape[1], 1, 4, 4)
    return F.conv2d(x, kernel, groups=x.shape[1])


def fir_down(x: Tensor) -> Tensor:
    return filtered(F.pad(x, (1, 1, 1, 1)), 1.0)[:, :, ::2, ::2]


def fir_up(x: Tensor) -> Tensor:
    stuffed = x.new_zeros((*x.shape[:2], 2 * x.shape[2], 2 * x.shape[3]))
    stuffed[:, :, ::2, ::2] = x
    return filtered(F.pad(stuffed, (2, 1, 2, 1)), 4.0)


def minibatch_deviation(x: Tensor) -> Tensor:
    """The mean deviation within groups of four samples, as one constant map per sample.

    Sample n belongs to the group n mod (B / 4), as in StyleGAN.
    """
    batch = x.shape[0]
    size = min(batch, 4)
    groups = batch // size
    out = x.new_zeros((batch, 1, *x.shape[2:]))
    for group in range(groups):
        members = x[group::groups]
        variance = ((members - members.mean(dim=0)) ** 2).mean(dim=0)
        out[group::groups] = torch.sqrt(variance + 1e-8).mean()
    return out
