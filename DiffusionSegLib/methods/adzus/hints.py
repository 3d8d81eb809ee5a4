"""What the user marked, on the canvas: groups of pixels that belong to the structure or do not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Hint", "disc_hint"]

Pixels = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Hint:
    """pixels: (n, 2) rows and columns on the canvas; include: whether they belong.

    center: row and column. is_click: whether it was one position, which people put into the
    middle of what they mean; a stroke or a box tells nothing of that kind.
    """

    pixels: Pixels
    include: bool
    is_click: bool = True

    @property
    def center(self) -> tuple[float, float]:
        """Mean row and column."""
        row, column = self.pixels.mean(axis=0)
        return float(row), float(column)

    @property
    def key(self) -> tuple[bytes, bool]:
        """Equal for hints with the same pixels of the same kind: what is computed for one holds
        for the other, whether they belong or not."""
        return self.pixels.tobytes(), self.is_click


def disc_hint(row: float, column: float, size: tuple[int, int], include: bool) -> Hint:
    """A click: the pixel at that position, moved inside when it lies just outside."""
    # A voxel's middle often lies between two pixels: rounding errors must not choose.
    place = [
        min(max(round(value - 1e-6), 0), limit - 1)
        for value, limit in zip((row, column), size, strict=True)
    ]
    return Hint(np.array([place], dtype=np.int64), include)
