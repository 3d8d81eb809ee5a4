"""Training pictures: random cuts of packed pictures, with their tumor or with one drawn in.

Cuts are shifted and of random size, so that the middle of a picture tells nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from DiffusionSegLib.methods.diffugts.working_grid import padded
from DiffusionSegLib.training.diffugts.pack import Picture
from DiffusionSegLib.training.diffugts.synthetic_lesions import add_lesion

__all__ = ["HEALTHY", "REAL", "SYNTHETIC", "Cut", "draw_cut"]

REAL, SYNTHETIC, HEALTHY = "real", "synthetic", "healthy"
_LOW, _HIGH = 0.6, 0.9  # sides of a cut, as shares of the picture's
_TRIES = 40
_LEAST_PIXELS = 12  # of a tumor, after the cut
_GAMMA, _GAIN, _BIAS = 0.3, 0.15, 0.05
_NEAR = 7  # pixels across, around the real tumor, that a loss leaves out beside a drawn one
_MULTIPLE = 32


@dataclass(frozen=True)
class Cut:
    """image: (rows, columns) uint8, padded as at inference; mask: the same, bool, the abnormal
    part; ignored: the same, bool, what no loss looks at: padding, and the real tumor where another
    was drawn. shape: rows and columns that are not padding. picture: its number in the pack.
    role: REAL, SYNTHETIC or HEALTHY. texts: numbers of the (normal, abnormal) texts."""

    picture: int
    role: str
    texts: tuple[int, int]
    image: Tensor
    mask: Tensor
    ignored: Tensor
    shape: tuple[int, int]


def draw_cut(
    number: int, picture: Picture, role: str, side: int, rng: torch.Generator
) -> Cut | None:
    """One cut with its longer side of ``side`` pixels, or None where no lesion found a place."""
    pixels, mask = picture.pixels.float() / 255, picture.mask
    rows, columns = _window(mask, role, rng)
    image, real = pixels[rows, columns], mask[rows, columns]
    image, real = _turned(image, rng, real)
    image, real = _at_side(image, side), _at_side(real.float(), side) > 0.5
    image = _shaded(image, rng) if _chance(0.5, rng) else image
    ignored = torch.zeros_like(real)
    if role == SYNTHETIC:
        ignored = F.max_pool2d(real[None].float(), _NEAR, 1, _NEAR // 2)[0] > 0
        image, real = add_lesion(image, rng)
        real = real & ~ignored
    if role != HEALTHY and int(real.sum()) < _LEAST_PIXELS:
        return None
    texts = picture.texts[int(torch.randint(len(picture.texts), (), generator=rng))]
    return Cut(
        number, role, texts, (_padded(image) * 255).round().to(torch.uint8),
        _padded(real.float(), edge=False) > 0, _padded(ignored.float(), edge=False, fill=1.0) > 0,
        (image.shape[0], image.shape[1]),
    )  # fmt: skip


def _window(mask: Tensor, role: str, rng: torch.Generator) -> tuple[slice, slice]:
    """Of real tumors at least half stays inside; where no try does that, all is taken."""
    whole = int(mask.sum())
    for _ in range(_TRIES):
        spans = [_span(side, rng) for side in mask.shape]
        inside = int(mask[spans[0], spans[1]].sum())
        if role != REAL or (2 * inside >= whole and inside > 0):
            return spans[0], spans[1]
    return slice(None), slice(None)


def _span(side: int, rng: torch.Generator) -> slice:
    length = max(1, round(side * (_LOW + (_HIGH - _LOW) * _uniform(rng))))
    start = int(torch.randint(side - length + 1, (), generator=rng))
    return slice(start, start + length)


def _turned(image: Tensor, rng: torch.Generator, mask: Tensor) -> tuple[Tensor, Tensor]:
    quarters = int(torch.randint(4, (), generator=rng)) if _chance(0.3, rng) else 0
    both = torch.rot90(torch.stack([image, mask.float()]), quarters, (1, 2))
    for axis in (1, 2):
        both = both.flip(axis) if _chance(0.5, rng) else both
    return both[0], both[1] > 0


def _at_side(values: Tensor, side: int) -> Tensor:
    scale = side / max(values.shape)
    size = [max(8, round(length * scale)) for length in values.shape]
    return F.interpolate(values[None, None], size, mode="bilinear", antialias=True)[0, 0]


def _shaded(image: Tensor, rng: torch.Generator) -> Tensor:
    gamma = math.exp(_GAMMA * (2 * _uniform(rng) - 1))
    gain = 1 + _GAIN * (2 * _uniform(rng) - 1)
    bias = _BIAS * (2 * _uniform(rng) - 1) * (image > 0)
    return ((image.clamp(0, 1) ** gamma) * gain + bias).clamp(0, 1)


def _padded(values: Tensor, edge: bool = True, fill: float = 0.0) -> Tensor:
    if edge:
        array = np.ascontiguousarray(values.clamp(0, 1).numpy()[None])
        return padded(array, (1, _MULTIPLE, _MULTIPLE))[0, 0, 0]
    rows, columns = values.shape
    return F.pad(values, (0, -columns % _MULTIPLE, 0, -rows % _MULTIPLE), value=fill)


def _uniform(rng: torch.Generator) -> float:
    return float(torch.rand((), generator=rng))


def _chance(share: float, rng: torch.Generator) -> bool:
    return _uniform(rng) < share
