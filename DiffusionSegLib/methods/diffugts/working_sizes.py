"""The size of the grid on which a backbone sees an image; without torch, so that it can be told
before anything is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from DiffusionSegLib.nouns.geometry import Float3, Geometry
from DiffusionSegLib.nouns.standing import reordered_geometry, standing_geometry, thickest_axis

__all__ = ["USUAL_SIDE", "working_geometry", "working_shape"]

USUAL_SIDE = 192


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


def working_shape(geometry: Geometry, dims: int, card: Mapping[str, Any]) -> tuple[int, int, int]:
    """Slices, rows and columns on the grid that a card describes, before they are padded."""
    spacing = card.get("spacing_mm")
    chosen = None if spacing is None else (float(spacing[0]), float(spacing[1]), float(spacing[2]))
    return working_geometry(geometry, dims, int(card.get("side", USUAL_SIDE)), chosen).shape_kji
