"""One slice made ready: everything about it that no prompt is needed for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from DiffusionSegLib.backbones.latent_diffusion.interface import LatentDiffusion
from DiffusionSegLib.methods.adzus.bilateral import JointBilateral
from DiffusionSegLib.methods.adzus.canvas import Canvas, make_canvas
from DiffusionSegLib.methods.adzus.pass_sides import CANVAS_SIDE, LARGEST_SIDE
from DiffusionSegLib.methods.adzus.plane_attention import PlaneAttention, read_attention
from DiffusionSegLib.progress import Progress

__all__ = ["CANVAS_SIDE", "Plane", "canvas_size", "make_plane", "resized"]

Floats = NDArray[np.float32]
_SHORTEST = 8


@dataclass(frozen=True, eq=False)
class Plane:
    """rgb: (rows, columns, 3) in [0, 1], the slice as it is. canvas: the same, on which outlines
    are chosen. enlarge: from places of the attention's grid to pixels of the canvas. largest_side:
    of the picture that the network was shown."""

    rgb: Floats
    canvas: Canvas
    attention: PlaneAttention
    enlarge: JointBilateral
    largest_side: int = LARGEST_SIDE

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the slice."""
        return self.rgb.shape[0], self.rgb.shape[1]

    def on_canvas(self, rows_columns: NDArray[np.floating]) -> NDArray[np.float64]:
        """(n, 2) rows and columns on the canvas, of continuous rows and columns of the slice."""
        scale = np.asarray(self.canvas.size) / np.asarray(self.size)
        return np.asarray((np.asarray(rows_columns, dtype=np.float64) + 0.5) * scale - 0.5)

    def on_slice(self, values: Floats) -> Floats:
        """(rows, columns) of the slice, of values (rows, columns) of the canvas."""
        return resized(values[..., None], self.size)[..., 0]


def make_plane(
    rgb: Floats,
    backbone: LatentDiffusion,
    timestep: int,
    progress: Progress,
    largest_side: int = LARGEST_SIDE,
) -> Plane:
    """One pass of the network, and what depends on the picture alone."""
    picture = torch.from_numpy(rgb)
    attention = read_attention(backbone, picture, timestep, progress.part(0.0, 0.9), largest_side)
    canvas = make_canvas(resized(rgb, canvas_size((rgb.shape[0], rgb.shape[1]))))
    enlarge = JointBilateral(canvas.rgb, attention.grid)
    progress.report(1.0)
    return Plane(rgb, canvas, attention, enlarge, largest_side)


def canvas_size(size: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of the canvas of a slice of that size."""
    scale = CANVAS_SIDE / max(size)
    rows, columns = (max(_SHORTEST, round(side * scale)) for side in size)
    return rows, columns


def resized(values: Floats, size: tuple[int, int]) -> Floats:
    """(*size, channels), of (rows, columns, channels): bilinear, averaging where it shrinks."""
    tensor = torch.from_numpy(np.ascontiguousarray(values)).permute(2, 0, 1)[None].float()
    found = F.interpolate(tensor, size=size, mode="bilinear", align_corners=False, antialias=True)
    return np.ascontiguousarray(found[0].permute(1, 2, 0).numpy())
