"""Cuts random squares from pictures and changes them, so that unseen kinds look familiar."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["CropSampler", "plain_crop"]

_SMALLEST = 64.0  # pixels of the picture that a crop shows at least
_SMALLEST_SHARE = 0.6  # of the short side, for pictures smaller than that
_LARGEST_SHARE = 1.1  # of the long side
_TURN_DEG = 20.0
_STRETCH = 0.1
_GAMMA, _GAIN, _BIAS = 0.4, 0.25, 0.1
_NEGATIVE, _TINT, _GRAY, _SHUFFLE, _NOISE = 0.08, 0.1, 0.1, 0.05, 0.3
_CHANNEL_GAIN, _CHANNEL_GAMMA, _NOISE_LEVEL = 0.2, 0.4, 0.04


class CropSampler:
    """All randomness comes from the generator that is given."""

    def __init__(self, side: int) -> None:
        self.side = side

    def draw(self, pixels: Tensor, rng: torch.Generator) -> Tensor:
        """(3, side, side) in [-1, 1] from (1 or 3, rows, columns) uint8."""
        rows, columns = pixels.shape[1:]
        short, long = min(rows, columns), max(rows, columns)
        low = min(_SMALLEST, _SMALLEST_SHARE * short)
        share = float(torch.rand((), generator=rng))
        window = low * (_LARGEST_SHARE * long / low) ** share
        crop = _cut(pixels, window, self.side, rng)
        gray = len(crop) == 1
        colored = _tinted(crop.expand(3, -1, -1), rng) if gray else _recolored(crop, rng)
        return _intensity(colored, rng) * 2 - 1


def plain_crop(pixels: Tensor, side: int, rng: torch.Generator) -> Tensor:
    """(3, side, side) in [-1, 1]: a square of the short side somewhere, not changed otherwise."""
    rows, columns = pixels.shape[1:]
    short = min(rows, columns)
    row = int(torch.randint(rows - short + 1, (), generator=rng))
    column = int(torch.randint(columns - short + 1, (), generator=rng))
    square = pixels[None, :, row : row + short, column : column + short].float() / 255
    crop = F.interpolate(square, (side, side), mode="bilinear", antialias=True)[0]
    return crop.expand(3, -1, -1) * 2 - 1


def _cut(pixels: Tensor, window: float, side: int, rng: torch.Generator) -> Tensor:
    """A turned, mirrored, slightly stretched square of about ``window`` pixels, in [0, 1]."""
    image = pixels[None].float() / 255
    if window > 1.75 * side and min(image.shape[2:]) > 4:
        image, window = F.avg_pool2d(image, 2), window / 2
    size = torch.tensor([image.shape[3], image.shape[2]], dtype=torch.float32)  # x, y
    quarter = 90.0 * int(torch.randint(4, (), generator=rng))
    angle = math.radians(quarter + _uniform(rng, _TURN_DEG))
    turn = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    stretch = math.exp(_uniform(rng, _STRETCH))
    mirror = -1.0 if _chance(rng, 0.5) else 1.0
    matrix = turn @ torch.diag(torch.tensor([mirror * stretch, 1 / stretch])) * window
    reach = ((size - window) / 2).clamp(min=0)
    center = (torch.rand(2, generator=rng) * 2 - 1) * reach
    theta = torch.cat([matrix / size[:, None], (2 * center / size)[:, None]], dim=1)
    grid = F.affine_grid(theta[None], [1, 1, side, side], align_corners=False)
    return F.grid_sample(image, grid, "bilinear", "reflection", False)[0]


def _tinted(crop: Tensor, rng: torch.Generator) -> Tensor:
    """A gray image; some get a color, as stains have."""
    if not _chance(rng, _TINT):
        return crop
    gamma = torch.exp(_CHANNEL_GAMMA * 2 * (torch.rand(3, 1, 1, generator=rng) * 2 - 1))
    gain = 1 - 0.5 * torch.rand(3, 1, 1, generator=rng)
    return crop.clamp(1e-4, 1) ** gamma * gain


def _recolored(crop: Tensor, rng: torch.Generator) -> Tensor:
    if _chance(rng, _GRAY):
        return crop.mean(0, keepdim=True).expand(3, -1, -1)
    if _chance(rng, _SHUFFLE):
        crop = crop[torch.randperm(3, generator=rng)]
    saturation = math.exp(_uniform(rng, 0.4))
    gray = crop.mean(0, keepdim=True)
    gain = 1 + _CHANNEL_GAIN * (torch.rand(3, 1, 1, generator=rng) * 2 - 1)
    return ((gray + saturation * (crop - gray)) * gain).clamp(0, 1)


def _intensity(crop: Tensor, rng: torch.Generator) -> Tensor:
    """Gamma, gain and bias of all channels together, a negative, a little noise; in [0, 1]."""
    crop = crop.clamp(1e-4, 1) ** math.exp(_uniform(rng, _GAMMA))
    if _chance(rng, _NEGATIVE):
        crop = 1 - crop
    crop = crop * (1 + _uniform(rng, _GAIN)) + _uniform(rng, _BIAS) * float(
        torch.rand((), generator=rng)
    )
    if _chance(rng, _NOISE):
        level = _NOISE_LEVEL * float(torch.rand((), generator=rng))
        crop = crop + level * torch.randn(crop.shape, generator=rng)
    return crop.clamp(0, 1)


def _uniform(rng: torch.Generator, reach: float) -> float:
    return float((torch.rand((), generator=rng) * 2 - 1) * reach)


def _chance(rng: torch.Generator, probability: float) -> bool:
    return bool(torch.rand((), generator=rng) < probability)
