"""What is remembered of a slice whose outline is known, so that the next slices can be matched."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from DiffusionSegLib.diffusion.attention.grids import Grid
from DiffusionSegLib.methods.adzus.plane import Plane

__all__ = ["MATCHING_SIDE", "SliceMemory", "matching_grid", "matching_picture", "remember_slice"]

MATCHING_SIDE = 64  # places of the long side: twice the finest attention of the bundled backbone


@dataclass(frozen=True, eq=False)
class SliceMemory:
    """number: of the slice. features: (places, n) of the attention's grid, unit length. color:
    (3, rows, columns), L*a*b*, and share: (rows, columns), how much of each place is the object, in
    [0, 1], both on the matching grid. Small: no picture and no attention is kept."""

    number: int
    features: Tensor
    grid: Grid
    color: Tensor
    share: Tensor


def remember_slice(number: int, plane: Plane, probability: NDArray[np.float32]) -> SliceMemory:
    """probability: (rows, columns) of the canvas."""
    canvas = torch.from_numpy(np.ascontiguousarray(probability, dtype=np.float32))[None]
    share = resampled(canvas, matching_grid(plane))[0]
    attention = plane.attention
    return SliceMemory(number, attention.features, attention.grid, matching_picture(plane), share)


def matching_grid(plane: Plane) -> Grid:
    """Rows and columns of the grid on which slices are matched."""
    rows, columns = plane.canvas.size
    scale = MATCHING_SIDE / max(rows, columns)
    return max(1, round(rows * scale)), max(1, round(columns * scale))


def matching_picture(plane: Plane) -> Tensor:
    """(3, rows, columns) of the matching grid: L*a*b*."""
    color = torch.from_numpy(np.ascontiguousarray(plane.canvas.color)).permute(2, 0, 1)
    return resampled(color, matching_grid(plane))


def resampled(values: Tensor, size: tuple[int, int]) -> Tensor:
    """(n, *size) of (n, rows, columns)."""
    return F.interpolate(
        values[None], size=size, mode="bilinear", align_corners=False, antialias=True
    )[0]
