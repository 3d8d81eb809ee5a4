"""The grid of anchors from which merging starts (DiffSeg, section 3.2)."""

from __future__ import annotations

from DiffusionSegLib.diffusion.attention.grids import Grid

__all__ = ["anchor_places"]


def anchor_places(grid: Grid, per_side: int) -> list[int]:
    """Numbers of the anchors' places, row by row; at 64 x 64 and 16 per side 1, 5, ..., 61 squared.

    Anchors stand a whole number of places apart, centered in the grid. A side shorter than
    ``per_side`` has an anchor in every place.
    """
    rows, columns = (_along(size, per_side) for size in grid)
    return [row * grid[1] + column for row in rows for column in columns]


def _along(size: int, count: int) -> range:
    count = min(count, size)
    step = (size - 1) // (count - 1) if count > 1 else 1
    start = (size - 1 - step * (count - 1)) // 2
    return range(start, start + step * count, step)
