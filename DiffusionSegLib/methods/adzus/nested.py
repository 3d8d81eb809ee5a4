"""A sequence of regions, each inside the next, and what can be measured of all of them at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.methods.adzus.canvas import Canvas
from DiffusionSegLib.methods.adzus.neighbors import diagonal_pairs, straight_pairs

__all__ = ["NestedRegions", "RegionMeasures", "measure_regions", "nested_regions"]

Floats = NDArray[np.float64]
_MOST_LEVELS = 128
_WEAK = 0.5  # of an edge's rarity; four in ten edges of a picture are below it
_DEPTH_BEYOND = 1e4  # pixels; of a region that has nothing outside


@dataclass(frozen=True, eq=False)
class NestedRegions:
    """level: (rows, columns), the first region that holds a pixel, from 0; areas: in pixels."""

    level: NDArray[np.int64]
    areas: Floats

    def region(self, level: int) -> NDArray[np.bool_]:
        """(rows, columns)."""
        return np.asarray(self.level <= level)


@dataclass(frozen=True, eq=False)
class RegionMeasures:
    """One value per level. area: share of the body. edges: per scale, mean rank of the edges
    that the border runs along. compactness: 4πA/P², 1 for a disc. depth: distance from the hint to
    the nearest pixel outside, off_center: from the hint to the region's center, both divided by the
    radius of a disc of the same area. at_frame: pixels on the picture's frame, divided by √A.
    gaps: share of the border along weak edges of the coarsest scale, below 0.5. rim: share of it
    where the body ends. texture: mean of the canvas's texture inside.
    """

    area: Floats
    edges: tuple[Floats, ...]
    compactness: Floats
    depth: Floats
    off_center: Floats
    at_frame: Floats
    gaps: Floats
    rim: Floats
    texture: Floats


def nested_regions(values: NDArray[np.float32]) -> NestedRegions:
    """The regions {values <= t} for up to 128 thresholds t, half of them equally far apart in
    value and half in area."""
    ordered = np.sort(values, axis=None)  # quantiles of it are quick
    steps = ordered[np.append(True, ordered[1:] != ordered[:-1])]
    if len(steps) > _MOST_LEVELS:
        by_area = np.quantile(ordered, np.linspace(0, 1, _MOST_LEVELS // 2))
        highest = np.quantile(ordered, 0.98)
        by_value = np.linspace(float(ordered[0]), float(highest), _MOST_LEVELS // 2)
        steps = np.unique(np.concatenate([by_area, by_value]).astype(np.float32))
    level = np.minimum(np.searchsorted(steps, values), len(steps) - 1)
    areas = np.cumsum(np.bincount(level.ravel(), minlength=len(steps))).astype(np.float64)
    return NestedRegions(level.astype(np.int64), areas)


def measure_regions(
    regions: NestedRegions, canvas: Canvas, center: tuple[float, float]
) -> RegionMeasures:
    """All levels together: a pair of pixels lies across the border of those levels that hold one
    of the two, so that sums over borders are running sums over levels."""
    level, areas = regions.level, np.maximum(regions.areas, 1.0)
    straight = _Border(*straight_pairs(level), len(areas))
    diagonal = _Border(*diagonal_pairs(level), len(areas))
    count = straight.sums(None)
    # Crofton's formula with four directions: the length of a digital curve without its steps.
    length = np.maximum(np.pi / 8 * (count + diagonal.sums(None) / np.sqrt(2)), 1.0)
    radius = np.sqrt(areas / np.pi)
    pairs = np.maximum(count, 1e-6)
    texture = np.bincount(level.ravel(), canvas.texture.ravel(), len(areas))
    return RegionMeasures(
        areas / canvas.body,
        tuple(straight.sums(one) / pairs for one in canvas.edges),
        np.clip(4 * np.pi * areas / length**2, 1e-3, 1.0),
        np.clip(_depths(level, len(areas), center) / radius, 1e-2, 1.2),
        _offsets(level, areas, center) / radius,
        _frame(level, len(areas)) / np.sqrt(areas),
        straight.sums((canvas.edges[-1] < _WEAK).astype(np.float32)) / pairs,
        straight.sums(canvas.rim) / pairs,
        np.cumsum(texture) / areas,
    )


class _Border:
    """Pairs of touching pixels; a pair is on the border from its lower level to below its upper."""

    def __init__(
        self, first: NDArray[np.integer], second: NDArray[np.integer], levels: int
    ) -> None:
        self._apart = np.flatnonzero(first != second)
        one, other = first[self._apart], second[self._apart]
        self._low, self._high = np.minimum(one, other), np.maximum(one, other)
        self._levels = levels

    def sums(self, weights: NDArray[np.float32] | None) -> Floats:
        """(levels,): sum of the weights (1 each for None) of the pairs on each level's border."""
        chosen = None if weights is None else weights[self._apart]
        begun = np.bincount(self._low, chosen, self._levels)
        ended = np.bincount(self._high, chosen, self._levels)
        return np.cumsum(begun[: self._levels] - ended[: self._levels])


def _depths(level: NDArray[np.int64], levels: int, center: tuple[float, float]) -> Floats:
    rows, columns = np.ogrid[: level.shape[0], : level.shape[1]]
    far = np.hypot(rows - center[0], columns - center[1])
    nearest = np.full(levels + 1, _DEPTH_BEYOND)
    np.minimum.at(nearest, level.ravel(), far.ravel())
    return np.minimum.accumulate(nearest[::-1])[::-1][1:]


def _offsets(level: NDArray[np.int64], areas: Floats, center: tuple[float, float]) -> Floats:
    parts = []
    for axis in (0, 1):
        line = np.expand_dims(np.arange(level.shape[axis]), 1 - axis)
        places = np.broadcast_to(line, level.shape)
        sums = np.cumsum(np.bincount(level.ravel(), places.ravel(), len(areas)))
        parts.append(sums / areas - center[axis])
    return np.hypot(*parts)


def _frame(level: NDArray[np.int64], levels: int) -> Floats:
    frame = np.concatenate([level[0], level[-1], level[:, 0], level[:, -1]])
    return np.cumsum(np.bincount(frame, minlength=levels)).astype(np.float64)
