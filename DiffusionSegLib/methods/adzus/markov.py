"""Markov maps: how many steps a random walk over attention takes from a hint to every place.

M2N2 (arXiv:2411.10411), section 3.2 and 3.3, on its released code's parameters.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from DiffusionSegLib.diffusion.attention.grids import Grid

__all__ = ["THRESHOLD", "markov_map", "start_at"]

THRESHOLD = 0.3  # of the most probable place: then a place counts as reached
MOST_STEPS = 1000


def start_at(positions: Sequence[tuple[float, float]], grid: Grid) -> Tensor:
    """(places,): 1 at the places of the positions, shared bilinearly between the four nearest.

    positions: rows and columns in [0, 1] of the image's height and width.
    """
    start = torch.zeros(grid)
    for row, column in positions:
        r = min(max(row * grid[0] - 0.5, 0.0), grid[0] - 1.0)
        c = min(max(column * grid[1] - 0.5, 0.0), grid[1] - 1.0)
        r0, c0 = min(int(r), grid[0] - 1), min(int(c), grid[1] - 1)
        for i, wr in ((r0, 1 - (r - r0)), (min(r0 + 1, grid[0] - 1), r - r0)):
            for j, wc in ((c0, 1 - (c - c0)), (min(c0 + 1, grid[1] - 1), c - c0)):
                start[i, j] += wr * wc
    return (start / start.max()).flatten()


def markov_map(walk: Tensor, start: Tensor, most_steps: int = MOST_STEPS) -> Tensor:
    """(places,): the first step, with a fraction, at which s = s A / max(s A) exceeds 0.3.

    walk: (places, places), rows sum to 1. Places not reached get ``most_steps``. The fraction is
    where a straight line between the two steps crosses the threshold.
    """
    state = start.to(walk)
    reached = torch.full_like(state, float(most_steps))
    open_places = torch.ones_like(state, dtype=torch.bool)
    before = torch.zeros_like(state)
    for step in range(most_steps):
        new = open_places & (state > THRESHOLD)
        if bool(new.any()):
            share = (THRESHOLD - before[new]) / (state[new] - before[new]).clamp_min(1e-12)
            reached[new] = (step - 1 + share).clamp_min(0.0)
            open_places &= ~new
            if not bool(open_places.any()):
                break
        before = state
        state = state @ walk
        state = state / state.max()
    return reached
