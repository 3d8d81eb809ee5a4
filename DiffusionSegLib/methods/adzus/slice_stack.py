"""A volume as a stack of slices along its best axis, and the way from voxels to places in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image

__all__ = ["SliceStack", "best_axis"]


@dataclass(frozen=True, eq=False)
class SliceStack:
    """image: all of it; axis: 0, 1 or 2 of (k, j, i), across the slices. A slice's rows and columns
    are the two other axes, in that order."""

    image: Image
    axis: int

    @property
    def count(self) -> int:
        """Number of slices."""
        return self.image.geometry.shape_kji[self.axis]

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of a slice."""
        rows, columns = (n for a, n in enumerate(self.image.geometry.shape_kji) if a != self.axis)
        return rows, columns

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Between slices, between rows, between columns."""
        kji = self.image.geometry.spacing_mm[::-1]
        rows, columns = (mm for a, mm in enumerate(kji) if a != self.axis)
        return kji[self.axis], rows, columns

    def slice(self, number: int) -> NDArray[Any]:
        """(channels, rows, columns)."""
        return np.take(self.image.array, number, axis=self.axis + 1)

    def to_slice(self, points_kji: NDArray[Any]) -> NDArray[Any]:
        """(n, 3): slice, row, column, of (n, 3) voxel indices (k, j, i)."""
        order = [self.axis, *(a for a in range(3) if a != self.axis)]
        return np.asarray(points_kji)[:, order]

    def to_stack(self, volume_kji: NDArray[Any]) -> NDArray[Any]:
        """(slices, rows, columns), a view of (k, j, i)."""
        return np.moveaxis(volume_kji, self.axis, 0)

    def to_volume(self, stack: NDArray[Any]) -> NDArray[Any]:
        """(k, j, i), a view of (slices, rows, columns)."""
        return np.moveaxis(stack, 0, self.axis)


def best_axis(geometry: Geometry) -> int:
    """Across the thickest slices, which show most within each; of equal ones the first axis."""
    if geometry.shape_kji[0] == 1:
        return 0
    kji = geometry.spacing_mm[::-1]
    return max(range(3), key=lambda axis: (round(kji[axis], 3), -axis))
