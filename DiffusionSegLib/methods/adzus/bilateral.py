"""Joint bilateral upsampling, with weights that are made once an image (Kopf et al. 2007).

M2N2's released code makes the weights anew for every click, which is 95 % of a click's time; they
depend on the image alone. Kept as a sparse matrix, a map is enlarged by one product.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from DiffusionSegLib.diffusion.attention.grids import Grid

__all__ = ["JointBilateral"]

Floats = NDArray[np.float32]
_REACH = 3.0  # spatial sigmas at which the weights are cut


class JointBilateral:
    """Enlarges maps of a grid to the size of a guide.

    guide: (rows, columns, 3), RGB in [0, 1]. sigma_space in places of the grid, sigma_range in
    units of the guide (M2N2: 1.0 and 0.1); weights over channels multiply. Of the places around a
    pixel those within ``reach`` places along each axis count (M2N2: 3; 2 by default here, which
    halves the work and changes maps by under a hundredth).
    """

    def __init__(
        self,
        guide: Floats,
        grid: Grid,
        sigma_space: float = 1.0,
        sigma_range: float = 0.1,
        reach: int = 2,
    ) -> None:
        self.size = (guide.shape[0], guide.shape[1])
        self.grid = grid
        self._matrix = _weights(guide, grid, sigma_space, sigma_range, reach)

    def __call__(self, values: Floats) -> Floats:
        """(rows, columns) of the guide, from (places,) of the grid."""
        return np.asarray(self._matrix @ values, dtype=np.float32).reshape(self.size)


def _weights(
    guide: Floats, grid: Grid, sigma_space: float, sigma_range: float, reach: int
) -> sparse.csr_matrix:
    """(pixels, places), rows sum to 1."""
    small = _at_places(guide, grid)
    row_at, row_places, row_known = _around(guide.shape[0], grid[0], reach)
    column_at, column_places, column_known = _around(guide.shape[1], grid[1], reach)
    count = row_places.shape[1]
    pixels = guide.shape[0] * guide.shape[1]
    weights = np.empty((pixels, count * count), dtype=np.float32)
    places = np.empty((pixels, count * count), dtype=np.int32)
    for number, (a, b) in enumerate(np.ndindex(count, count)):
        row, column = row_places[:, a, None], column_places[None, :, b]
        near = (row - row_at[:, None]) ** 2 + (column - column_at[None]) ** 2
        like = ((guide - small[row, column]) ** 2).sum(axis=-1)
        found = np.exp(-near / (2 * sigma_space**2) - like / (2 * sigma_range**2))
        # The smallest weight keeps a pixel like none of its places on their plain mean.
        found = (found + 1e-8) * (row_known[:, a, None] & column_known[None, :, b])
        found = found * (near <= (_REACH * sigma_space) ** 2)
        weights[:, number] = found.ravel()
        places[:, number] = (row * grid[1] + column).ravel()
    weights /= weights.sum(axis=1, keepdims=True)
    starts = np.arange(0, places.size + 1, count * count)
    shape = (pixels, grid[0] * grid[1])
    return sparse.csr_matrix((weights.ravel(), places.ravel(), starts), shape=shape)


def _around(
    size: int, places: int, reach: int
) -> tuple[Floats, NDArray[np.int64], NDArray[np.bool_]]:
    """For each pixel of a line its position in places; the places around it; which of them are."""
    position = (np.arange(size) + 0.5) * places / size - 0.5
    found = np.round(position).astype(np.int64)[:, None] + np.arange(-reach, reach + 1)[None]
    known = (found >= 0) & (found < places)
    return position.astype(np.float32), found.clip(0, places - 1), known


def _at_places(guide: Floats, grid: Grid) -> Floats:
    """(*grid, 3): the mean color of every place; one that holds no pixel has that of the nearest.
    """
    (top, bottom), (left, right) = (
        _ends(size, places) for size, places in zip(guide.shape[:2], grid, strict=True)
    )
    table = np.pad(guide.astype(np.float64).cumsum(0).cumsum(1), ((1, 0), (1, 0), (0, 0)))
    sums = table[np.ix_(bottom, right)] - table[np.ix_(bottom, left)]
    sums += table[np.ix_(top, left)] - table[np.ix_(top, right)]
    area = (bottom - top)[:, None] * (right - left)[None]
    return np.asarray(sums / area[..., None], dtype=np.float32)


def _ends(size: int, places: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first pixel of every place and the one behind its last."""
    edges = np.linspace(0, size, places + 1).round().astype(np.int64)
    first = np.minimum(edges[:-1], size - 1)
    return first, np.maximum(edges[1:], first + 1)
