"""The grid that a layer's tokens form: the latent's, halved some number of times."""

from __future__ import annotations

from DiffusionSegLib.errors import ModelError

__all__ = ["Grid", "grid_of_tokens"]

Grid = tuple[int, int]  # rows, columns

_MOST_HALVINGS = 8


def grid_of_tokens(count: int, latent: Grid) -> Grid:
    """Rows and columns of ``count`` tokens of a latent of that size; odd sizes are rounded up.

    Raises ModelError when no number of halvings gives the count.
    """
    rows, columns = latent
    for _ in range(_MOST_HALVINGS):
        if rows * columns == count:
            return rows, columns
        rows, columns = -(-rows // 2), -(-columns // 2)
    raise ModelError(
        f"This network is not of a kind that can be read: a layer attends to {count} places, which "
        f"are not a latent of {latent[0]} x {latent[1]} halved some number of times."
    )
