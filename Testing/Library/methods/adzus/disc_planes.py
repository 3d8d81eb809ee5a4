"""Slices with a known object, ready for prompts, without a network."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from DiffusionSegLib.diffusion.attention.capture import AttentionMap
from DiffusionSegLib.diffusion.attention.transition import balance
from DiffusionSegLib.methods.adzus.bilateral import JointBilateral
from DiffusionSegLib.methods.adzus.canvas import make_canvas
from DiffusionSegLib.methods.adzus.plane import Plane, resized
from DiffusionSegLib.methods.adzus.plane_attention import PlaneAttention


def disc(size: tuple[int, int], center: tuple[float, float], radius: float) -> NDArray[np.bool_]:
    row, column = np.indices(size)
    return np.asarray((row - center[0]) ** 2 + (column - center[1]) ** 2 <= radius**2)


def plane_showing(
    inside: NDArray,
    seed: int = 0,
    contrast: float = 0.35,
    noise: float = 0.05,
    grid: tuple[int, int] = (16, 16),
) -> Plane:
    """The object brighter than its surroundings; places look at near places of like brightness."""
    rng = np.random.default_rng(seed)
    gray = 0.3 + contrast * inside + noise * rng.standard_normal(inside.shape)
    rgb = np.repeat(np.clip(gray, 0, 1)[..., None], 3, axis=-1).astype(np.float32)
    bright = torch.from_numpy(resized(rgb, grid)[..., 0].ravel().astype(np.float32))[:, None]
    lines = [torch.arange(side) / side for side in grid]
    places = torch.cartesian_prod(*lines)
    far = torch.cdist(places, places) ** 2
    maps = torch.softmax(-100 * torch.cdist(bright, bright) ** 2 - 20 * far, 1)
    attention = PlaneAttention(
        (AttentionMap("self", grid, maps, ("layer",)),), balance(maps), bright
    )
    canvas = make_canvas(rgb)
    return Plane(rgb, canvas, attention, JointBilateral(canvas.rgb, grid))


def dice(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    return float(2 * (first & second).sum() / max(1, first.sum() + second.sum()))
