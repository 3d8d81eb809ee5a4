"""How much a region keeps to itself when a walk over attention takes a step: its normalized cut."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from DiffusionSegLib.methods.adzus.nested import NestedRegions
from DiffusionSegLib.methods.adzus.plane_attention import PlaneAttention

__all__ = ["normalized_cuts"]


def normalized_cuts(regions: NestedRegions, attention: PlaneAttention) -> NDArray[np.float64]:
    """(levels,): share of steps that leave the region, plus share of steps that enter it, 0 to 2.

    Shi and Malik's NCut (2000) with the balanced walk as affinity, as in "Diffusing, Walking and
    Cutting" (arXiv:2412.04678). A place counts by the share of its pixels that are in the region.
    """
    share = torch.from_numpy(_shares(regions, attention.grid))
    moved = attention.walk @ share
    inside = share.sum(0).clamp_min(1e-3)
    outside = (len(share) - share.sum(0)).clamp_min(1e-3)
    stay_in = (share * moved).sum(0) / inside
    stay_out = ((1 - share) * (1 - moved)).sum(0) / outside
    return np.asarray((2 - stay_in - stay_out).clamp(0.0, 2.0).numpy(), dtype=np.float64)


def _shares(regions: NestedRegions, grid: tuple[int, int]) -> NDArray[np.float32]:
    """(places, levels)."""
    level, levels = regions.level, len(regions.areas)
    rows, columns = (np.arange(n) * g // n for n, g in zip(level.shape, grid, strict=True))
    place = rows[:, None] * grid[1] + columns[None]
    count = np.bincount((place * levels + level).ravel(), minlength=grid[0] * grid[1] * levels)
    running = count.reshape(-1, levels).cumsum(axis=1)
    return (running / np.maximum(running[:, -1:], 1)).astype(np.float32)
