"""A volume with a bright body in noise, slice by slice ready for prompts, without a network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from DiffusionSegLib.methods.adzus.bilateral import JointBilateral
from DiffusionSegLib.methods.adzus.canvas import make_canvas
from DiffusionSegLib.methods.adzus.hints import Hint, disc_hint
from DiffusionSegLib.methods.adzus.plane import Plane
from DiffusionSegLib.methods.adzus.plane_attention import PlaneAttention
from DiffusionSegLib.methods.adzus.plane_outline import PlaneOutline
from DiffusionSegLib.methods.adzus.slice_stack import SliceStack
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.progress import Progress
from Testing.Library.methods.adzus.disc_planes import plane_showing

SIDE = 64


class BallVolume:
    """bodies: (slices, 64, 64), bool. looked: slices that were made ready, in order."""

    def __init__(self, bodies: NDArray[np.bool_], spacing: float = 1.0) -> None:
        self.bodies = bodies
        image = Image.from_array(bodies.astype(np.uint8), spacing_mm=(1.0, 1.0, spacing))
        self.stack = SliceStack(image, 0)
        self.looked: list[int] = []

    def plane_of(self, number: int, progress: Progress) -> Plane:
        """Keys are what a place and its surroundings show: brightness, and waves of the place."""
        progress.check()
        self.looked.append(number)
        plane = plane_showing(self.bodies[number], seed=number)
        attention = plane.attention
        lines = [torch.arange(side) / side for side in attention.grid]
        places = torch.cartesian_prod(*lines) * torch.pi
        keys = torch.cat([4 * attention.features, places.sin(), places.cos()], dim=1)
        keys = torch.nn.functional.normalize(keys, dim=1)
        seen = PlaneAttention(attention.maps, attention.walk, keys)
        canvas = make_canvas(plane.rgb)
        return Plane(plane.rgb, canvas, seen, JointBilateral(canvas.rgb, attention.grid))

    def click(self, row: float, column: float, include: bool = True) -> Hint:
        return disc_hint(row, column, (SIDE, SIDE), include)


def grown(plane: Plane, hints: Sequence[Hint]) -> PlaneOutline:
    """Stands for a rule of clicks: the bright part that holds a click that includes."""
    bright = ndimage.gaussian_filter(plane.canvas.rgb[..., 0], 1.0) > 0.475
    labels, _ = ndimage.label(bright)
    found = np.zeros(bright.shape, dtype=bool)
    for hint in hints:
        if hint.include:
            number = labels[tuple(hint.pixels[0])]
            found |= (labels == number) & (number > 0)
            found[tuple(hint.pixels.T)] = True
    return PlaneOutline(found.astype(np.float32), 0.8, "grown")


def ellipsoid(
    count: int, center: tuple[float, float, float], radii: tuple[float, float, float]
) -> NDArray[np.bool_]:
    places = np.indices((count, SIDE, SIDE)).astype(float)
    away = sum(((p - c) / r) ** 2 for p, c, r in zip(places, center, radii, strict=True))
    return np.asarray(away <= 1)
