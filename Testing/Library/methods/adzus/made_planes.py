"""Slices made ready without a network: pictures of the made scene, with the made attention."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch.nn import functional as F

from DiffusionSegLib.diffusion.attention.transition import balance, sharpen
from DiffusionSegLib.methods.adzus.bilateral import JointBilateral
from DiffusionSegLib.methods.adzus.canvas import make_canvas
from DiffusionSegLib.methods.adzus.plane import Plane
from DiffusionSegLib.methods.adzus.plane_attention import PlaneAttention
from DiffusionSegLib.methods.adzus.regions import aggregate_by_resolution
from Testing.Library.methods.adzus.made_maps import made_maps, scene

COLORS = np.array([[0.85, 0.7, 0.6], [0.4, 0.2, 0.15], [0.2, 0.3, 0.7]], dtype=np.float32)


def made_picture(side: int = 96, noise: float = 0.02, seed: int = 0) -> NDArray[np.float32]:
    """(side, side, 3): background, disk and bar of the scene, each of its color."""
    rng = np.random.default_rng(seed)
    clean = COLORS[scene(side).numpy()]
    return np.clip(clean + noise * rng.standard_normal(clean.shape), 0, 1).astype(np.float32)


def made_plane(rgb: NDArray[np.float32] | None = None, sides: tuple[int, ...] = (16, 8)) -> Plane:
    """Attention is of the scene whatever the picture shows."""
    picture = made_picture() if rgb is None else rgb
    maps = tuple(made_maps(sides))
    walk = balance(sharpen(aggregate_by_resolution(maps, 2.0), 0.65))
    attention = PlaneAttention(maps, walk, F.normalize(walk, dim=1))
    canvas = make_canvas(picture)
    return Plane(picture, canvas, attention, JointBilateral(canvas.rgb, attention.grid))


def thing(number: int, side: int = 96) -> NDArray[np.bool_]:
    """(side, side): where the scene shows 1, the disk, or 2, the bar."""
    return np.asarray(scene(side).numpy() == number)
