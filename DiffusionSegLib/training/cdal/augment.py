"""Cuts random training windows and changes them as another patient or scanner might."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from DiffusionSegLib.training.cdal.pack import PackedCase
from DiffusionSegLib.training.cdal.settings import Augmentation, Task

_BACKGROUND_TRIES = 8
_CONTROL_POINTS = 4  # of smooth random fields, along an axis


class WindowSampler:
    """Draws (image, classes) windows; all randomness comes from the generator that it is given.

    image: (channels, *window) float32 in [-1, 1]; classes: (*window) int64 class indices. For 2D
    models the slice axis is dropped.
    """

    def __init__(self, task: Task) -> None:
        self._augmentation = task.augmentation
        self._window = task.grid.window_kji
        self._whole = task.grid.kind == "fit"

    def draw(self, case: PackedCase, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """One augmented window of the case."""
        a = self._augmentation
        background = _chance(rng, a.background)
        image, label = case.image.float(), case.label
        for _ in range(_BACKGROUND_TRIES if background else 1):
            grid = self._grid(image.shape[1:], rng, background)
            classes = F.grid_sample(label[None, None].float(), grid, "nearest", "zeros", False)[
                0, 0
            ]
            if not bool(classes.any()):
                break
        window = F.grid_sample(image[None], grid, "bilinear", "border", False)[0]
        window = self._intensity(window, rng)
        if self._window[0] == 1:
            window, classes = window[:, 0], classes[0]
        return window, classes.long()

    def _grid(self, shape: torch.Size, rng: torch.Generator, background: bool) -> Tensor:
        """Sampling positions (1, K, J, I, 3) in grid_sample's x, y, z frame of the whole image."""
        size = torch.tensor(shape[::-1], dtype=torch.float32)
        window = torch.tensor(self._window[::-1], dtype=torch.float32)
        a = self._augmentation
        matrix = self._rotation(rng) * math.exp(_uniform(rng, a.scale))
        if background and self._whole:
            matrix = matrix * (0.25 + 0.25 * float(torch.rand((), generator=rng)))
        reach = self._reach(size, window, background)
        center = (torch.rand(3, generator=rng) * 2 - 1) * reach
        # affine_grid maps window corners (±1) to image corners (±1); work in voxels between.
        to_image = (matrix * window[None, :]) / size[:, None]
        theta = torch.cat([to_image, (2 * center / size)[:, None]], dim=1)
        grid = F.affine_grid(theta[None], [1, 1, *self._window], align_corners=False)
        if a.elastic:
            moved = torch.stack([_smooth(self._window, rng) for _ in range(3)], dim=-1)
            grid = grid + moved * (size > 1) * 2 * a.elastic / size
        return grid

    def _reach(self, size: Tensor, window: Tensor, background: bool) -> Tensor:
        """How far the window's centre may lie from the image's centre, in voxels."""
        if background:
            return size * (0.35 if self._whole else 0.5)
        inside = ((size - window) / 2).clamp(min=0)
        return torch.where(size > 1, inside + self._augmentation.shift * size, torch.zeros(3))

    def _rotation(self, rng: torch.Generator) -> Tensor:
        """Rotation with mirrored axes and quarter turns, 3×3 in x, y, z."""
        a = self._augmentation
        matrix = _turn(_uniform(rng, a.rotate_deg), 0, 1)
        if a.tilt_deg:
            matrix = matrix @ _turn(_uniform(rng, a.tilt_deg), 1, 2)
            matrix = matrix @ _turn(_uniform(rng, a.tilt_deg), 0, 2)
        if a.quarter_turns:
            matrix = matrix @ _turn(90.0 * int(torch.randint(4, (), generator=rng)), 0, 1)
        for axis in a.flips:
            if _chance(rng, 0.5):
                matrix[:, 2 - axis] *= -1
        return matrix

    def _intensity(self, window: Tensor, rng: torch.Generator) -> Tensor:
        a = self._augmentation
        parts = window.split(1) if a.channelwise else [window]
        window = torch.cat([self._brightness(part, rng) for part in parts])
        if _chance(rng, a.invert):
            window = -window
        if _chance(rng, a.blur):
            size = [3 if s > 1 else 1 for s in window.shape[1:]]
            window = F.avg_pool3d(
                window[None], size, 1, [s // 2 for s in size], count_include_pad=False
            )[0]
        level = a.noise * float(torch.rand((), generator=rng))
        window = window + level * torch.randn(window.shape, generator=rng)
        return self._drop_channel(window.clamp(-1, 1), rng)

    def _brightness(self, window: Tensor, rng: torch.Generator) -> Tensor:
        """Gamma, gain and bias of channels that change together."""
        a = self._augmentation
        unit = (window + 1) / 2
        unit = unit.clamp(1e-4, 1) ** math.exp(_uniform(rng, a.gamma))
        if a.field:
            unit = unit * torch.exp(a.field * _smooth(self._window, rng))
        window = unit * 2 - 1
        if a.contrast:
            mean = window.mean(dim=(1, 2, 3), keepdim=True)
            kept = math.exp(-a.contrast * float(torch.rand((), generator=rng)))
            window = mean + kept * (window - mean)
        channels = (window.shape[0], 1, 1, 1)
        color = 1 + a.color * (torch.rand(channels, generator=rng) * 2 - 1)
        return window * color * (1 + _uniform(rng, a.gain)) + _uniform(rng, a.bias)

    def _drop_channel(self, window: Tensor, rng: torch.Generator) -> Tensor:
        if len(window) > 1 and _chance(rng, self._augmentation.channel_dropout):
            window[int(torch.randint(len(window), (), generator=rng))] = 0
        return window


def _smooth(window: tuple[int, int, int], rng: torch.Generator) -> Tensor:
    """A slowly varying field (K, J, I), of standard deviation one at its control points."""
    points = [min(_CONTROL_POINTS, side) for side in window]
    coarse = torch.randn((1, 1, *points), generator=rng)
    return F.interpolate(coarse, window, mode="trilinear", align_corners=True)[0, 0]


def _turn(degrees: float, a: int, b: int) -> Tensor:
    angle = math.radians(degrees)
    matrix = torch.eye(3)
    matrix[a, a] = matrix[b, b] = math.cos(angle)
    matrix[a, b], matrix[b, a] = -math.sin(angle), math.sin(angle)
    return matrix


def _uniform(rng: torch.Generator, reach: float) -> float:
    return float((torch.rand((), generator=rng) * 2 - 1) * reach)


def _chance(rng: torch.Generator, probability: float) -> bool:
    return bool(torch.rand((), generator=rng) < probability)


__all__ = ["Augmentation", "WindowSampler"]
