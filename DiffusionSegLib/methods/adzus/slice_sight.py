"""What is needed of a slice to match it with its neighbors: small enough to keep for a volume."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from DiffusionSegLib.diffusion.attention.grids import Grid
from DiffusionSegLib.methods.adzus.plane import Plane

__all__ = ["MATCHING_SIDE", "SliceSight", "resampled", "see_slice"]

MATCHING_SIDE = 64  # places of the long side: twice the finest attention of the bundled backbone


@dataclass(frozen=True, eq=False)
class SliceSight:
    """features: (places, n) of the attention's grid, unit length, half precision. color: (3, rows,
    columns) of the matching grid, L*a*b*. canvas: rows and columns of the plane's canvas. 0.3 MB
    with the bundled backbone, where the plane itself takes 30."""

    features: Tensor
    grid: Grid
    color: Tensor
    canvas: tuple[int, int]

    @property
    def size(self) -> Grid:
        """Rows and columns of the matching grid."""
        return self.color.shape[1], self.color.shape[2]


def see_slice(plane: Plane) -> SliceSight:
    """The keys of the finest self-attention, and colors."""
    rows, columns = plane.canvas.size
    scale = MATCHING_SIDE / max(rows, columns)
    size = max(1, round(rows * scale)), max(1, round(columns * scale))
    color = torch.from_numpy(np.ascontiguousarray(plane.canvas.color)).permute(2, 0, 1)
    attention = plane.attention
    return SliceSight(
        attention.features.half(), attention.grid, resampled(color, size), plane.canvas.size
    )


def resampled(values: Tensor, size: tuple[int, int]) -> Tensor:
    """(n, *size) of (n, rows, columns): bilinear, averaging where it shrinks."""
    return F.interpolate(
        values[None], size=size, mode="bilinear", align_corners=False, antialias=True
    )[0]
