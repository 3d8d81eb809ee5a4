"""How much the attention maps of each resolution count (DiffSeg, section 3.1)."""

from __future__ import annotations

from collections.abc import Sequence

from DiffusionSegLib.diffusion.attention.grids import Grid

__all__ = ["resolution_weights"]


def resolution_weights(grids: Sequence[Grid], power: float = 1.0) -> tuple[float, ...]:
    """Weights that sum to 1, proportional to side^power; 64:32:16:8 for Stable Diffusion at 512.

    The side of a grid that is not square is the geometric mean of its two.
    """
    raw = [(rows * columns) ** (power / 2) for rows, columns in grids]
    return tuple(value / sum(raw) for value in raw)
