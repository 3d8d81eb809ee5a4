"""How much a region keeps to itself when a walk over attention takes a step: its normalized cut."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from DiffusionSegLib.diffusion.attention.grids import Grid
from DiffusionSegLib.methods.adzus.coarse_walk import CoarseWalk
from DiffusionSegLib.methods.adzus.nested import NestedRegions
from DiffusionSegLib.methods.adzus.plane_attention import PlaneAttention

__all__ = ["normalized_cuts"]

_TOGETHER = 64  # places


def normalized_cuts(
    regions: NestedRegions, attention: PlaneAttention, count: int | None = None
) -> NDArray[np.float64]:
    """(levels,): share of steps that leave the region, plus share of steps that enter it, 0 to 2.

    Shi and Malik's NCut (2000) with the balanced walk as affinity, as in "Diffusing, Walking and
    Cutting" (arXiv:2412.04678). A place counts by the share of its pixels that are in the region;
    of a fine grid neighboring places are taken together (see coarse_walk.py), which is eight times
    as quick. count: of the first so many levels alone, which takes less time; of the others 2.
    """
    found = np.full(len(regions.areas), 2.0)
    if count == 0:
        return found
    walk = attention.coarse
    share = torch.from_numpy(_shares(regions, attention.grid, walk)[:, :count])
    inside = walk.sizes.double() @ share.double()
    outside = walk.sizes.sum() - inside
    kept = _kept(share, walk.steps)
    # Of all steps those that end inside, less those that also began there, end elsewhere: entered.
    entered = walk.entering.double() @ share.double() - kept
    stay_in = kept / inside.clamp_min(1e-3)
    stay_out = (outside - entered) / outside.clamp_min(1e-3)
    found[:count] = (2 - stay_in - stay_out).clamp(0.0, 2.0).numpy()
    return found


def _kept(share: Tensor, walk: Tensor) -> Tensor:
    """(levels,), float64: steps that begin and end inside, the diagonal of sᵀ W s for s = share.

    A place's share grows from 0 to 1 within few levels. Sorted by level, some places together
    change in a narrow band of levels, and only that band is multiplied with the walk: a third of
    the time of the whole product.
    """
    share = share.contiguous()
    first, last = (share <= 0).sum(1), (share < 1).sum(1).clamp_max(share.shape[1] - 1)
    growth = torch.diff(share, dim=1, prepend=torch.zeros(len(share), 1))
    moved = torch.zeros(share.shape[1], len(share))
    order = torch.argsort(first + last)
    for places in order[first[order] < share.shape[1]].split(_TOGETHER):
        low, high = int(first[places].min()), int(last[places].max()) + 1
        moved[low:high].addmm_(growth[places, low:high].T, walk[places])
    return (moved @ growth).double().cumsum(0).cumsum(1).diagonal()


def _shares(regions: NestedRegions, grid: Grid, walk: CoarseWalk) -> NDArray[np.float32]:
    """(blocks, levels)."""
    level, levels = regions.level, len(regions.areas)
    rows, columns = (
        np.arange(n) * g // n // walk.side for n, g in zip(level.shape, grid, strict=True)
    )
    block = rows[:, None] * walk.grid[1] + columns[None]
    count = np.bincount((block * levels + level).ravel(), minlength=len(walk.sizes) * levels)
    running = count.reshape(-1, levels).cumsum(axis=1)
    return (running / np.maximum(running[:, -1:], 1)).astype(np.float32)
