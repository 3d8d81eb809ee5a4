"""The size of the grid on which a backbone sees an image; without torch, so that it can be told
before anything is loaded."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.nouns.geometry import Float3, Geometry
from DiffusionSegLib.nouns.standing import reordered_geometry, standing_geometry, thickest_axis

__all__ = ["USUAL_SIDE", "card_grid", "working_geometry", "working_shape"]

USUAL_SIDE = 192
_SMALLEST_SIDE, _LARGEST_SIDE = 8, 1 << 14


def working_geometry(
    geometry: Geometry, dims: int, side: int, spacing_mm: Float3 | None
) -> Geometry:
    """See WorkingGrid."""
    if dims == 3:
        standing = standing_geometry(geometry)
        return standing if spacing_mm is None else standing.with_spacing(spacing_mm)
    across = thickest_axis(geometry)
    sliced = reordered_geometry(geometry, [across, *(a for a in range(3) if a != across)])
    columns_mm, rows_mm, thick_mm = sliced.spacing_mm
    _, rows, columns = sliced.shape_kji
    pixel_mm = max(rows * rows_mm, columns * columns_mm) / side
    # A picture one pixel wide keeps its one column: with_spacing leaves single voxels alone.
    return sliced.with_spacing((pixel_mm, pixel_mm, thick_mm))


def card_grid(values: Any) -> tuple[int, Float3 | None]:
    """Side and spacing that a card's "grid" names; raises ModelError for what is no grid."""
    values = {} if values is None else values
    if not isinstance(values, Mapping):
        raise ModelError(f"The card's grid holds names and values, not {values!r}.")
    side, spacing = values.get("side", USUAL_SIDE), values.get("spacing_mm")
    if type(side) is not int or not _SMALLEST_SIDE <= side <= _LARGEST_SIDE:
        raise ModelError(
            f"The side of the card's grid is a whole number from {_SMALLEST_SIDE} to "
            f"{_LARGEST_SIDE}, not {side!r}."
        )
    if spacing is None:
        return side, None
    listed = isinstance(spacing, Sequence) and len(spacing) == 3
    if not listed or not all(type(one) in (int, float) and 0 < one < math.inf for one in spacing):
        raise ModelError(
            f"The spacing_mm of the card's grid are three lengths above zero, not {spacing!r}."
        )
    return side, (float(spacing[0]), float(spacing[1]), float(spacing[2]))


def working_shape(geometry: Geometry, dims: int, card: Any) -> tuple[int, int, int]:
    """Slices, rows and columns on the grid that a card describes, before they are padded."""
    return working_geometry(geometry, dims, *card_grid(card)).shape_kji
