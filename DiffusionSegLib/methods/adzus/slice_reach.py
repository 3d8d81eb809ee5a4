"""How far an object's border can move from one slice to another: a choice of ours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from DiffusionSegLib.diffusion.attention.grids import Grid
from DiffusionSegLib.methods.adzus.slice_stack import SliceStack

__all__ = ["SliceReach", "reach_of"]

Floats = NDArray[np.float32]
_SLOPE = 1.5  # mm in the slice for each mm between slices: a border 56 degrees off the axis
_LOOSE_PIXELS = 3.0  # of the canvas; no outline is more exact than that
_FADE = 0.5  # of the reach: beyond it the outline fades


@dataclass(frozen=True)
class SliceReach:
    """pixels: of the canvas, for one step between slices; places: of the attention's grid."""

    pixels: float
    places: float

    def limit(self, previous: NDArray[np.bool_]) -> Floats:
        """(rows, columns) in [0, 1]: 1 where the object can be after one step, 0 far from there."""
        if not previous.any():
            return np.zeros(previous.shape, dtype=np.float32)
        away = ndimage.distance_transform_edt(~previous) - self.pixels
        fade = max(_FADE * self.pixels, 1.0)
        return np.exp(-((np.maximum(away, 0.0) / fade) ** 2) / 2).astype(np.float32)


def reach_of(stack: SliceStack, canvas: tuple[int, int], grid: Grid) -> SliceReach:
    """canvas: its rows and columns; grid: of the attention."""
    between, *within = stack.spacing_mm
    fields = [mm * n for mm, n in zip(within, stack.size, strict=True)]
    pixel = float(np.mean([mm / n for mm, n in zip(fields, canvas, strict=True)]))
    place = float(np.mean([mm / n for mm, n in zip(fields, grid, strict=True)]))
    moved = _SLOPE * between
    return SliceReach(moved / pixel + _LOOSE_PIXELS, moved / place + 1.0)
