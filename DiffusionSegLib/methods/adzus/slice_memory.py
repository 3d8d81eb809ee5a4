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

__all__ = ["SliceMemory", "remember_slice"]


@dataclass(frozen=True, eq=False)
class SliceMemory:
    """number: of the slice. features: (places, n), unit length; share: (places,) in [0, 1], how
    much of each place is the object. No picture is kept: an attention grid is small."""

    number: int
    features: Tensor
    share: Tensor
    grid: Grid


def remember_slice(number: int, plane: Plane, probability: NDArray[np.float32]) -> SliceMemory:
    """probability: (rows, columns) of the canvas."""
    grid = plane.attention.grid
    canvas = torch.from_numpy(np.ascontiguousarray(probability, dtype=np.float32))[None, None]
    share = F.interpolate(canvas, size=grid, mode="area").flatten()
    return SliceMemory(number, plane.attention.features, share, grid)
