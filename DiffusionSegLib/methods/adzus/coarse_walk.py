"""A walk over places with neighbors taken together, so that sums over regions take little time."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from DiffusionSegLib.diffusion.attention.grids import Grid

__all__ = ["CoarseWalk", "coarse_walk"]

LARGEST_SIDE = 32  # the grid on which the weights of normalized cuts were chosen


@dataclass(frozen=True, eq=False)
class CoarseWalk:
    """steps: (blocks, blocks) of ``grid``, how much the walk goes from all places of one block to
    those of the other; sizes: (blocks,), places of each. A block has ``side`` x ``side`` places, or
    fewer at the grid's end."""

    grid: Grid
    side: int
    steps: Tensor
    sizes: Tensor

    @property
    def entering(self) -> Tensor:
        """(blocks,): how often a step leads to a block, all places taken together."""
        return self.steps.sum(0)


def coarse_walk(walk: Tensor, grid: Grid, largest: int = LARGEST_SIDE) -> CoarseWalk:
    """Blocks of 1 x 1, 2 x 2 ... places, so that no side of the new grid exceeds ``largest``.

    walk: (places, places) of the grid.
    """
    side = -(-max(grid) // largest)
    if side == 1:
        return CoarseWalk(grid, 1, walk, torch.ones(len(walk)))
    rows, columns = (-(-places // side) for places in grid)
    number = torch.arange(grid[0])[:, None] // side * columns + torch.arange(grid[1]) // side
    number = number.flatten()
    from_blocks = walk.new_zeros(rows * columns, len(walk)).index_add_(0, number, walk)
    steps = walk.new_zeros(rows * columns, rows * columns).index_add_(1, number, from_blocks)
    sizes = torch.bincount(number, minlength=rows * columns).float()
    return CoarseWalk((rows, columns), side, steps, sizes)
