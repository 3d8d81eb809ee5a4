"""All that a hint can mean on a canvas: some families of nested regions, each with its scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.methods.adzus.canvas import Canvas
from DiffusionSegLib.methods.adzus.connected import connected_to, without_holes
from DiffusionSegLib.methods.adzus.hints import Hint
from DiffusionSegLib.methods.adzus.level_score import ScoreWeights, level_scores
from DiffusionSegLib.methods.adzus.nested import (
    NestedRegions,
    RegionMeasures,
    measure_regions,
    nested_regions,
)

__all__ = ["Family", "read_family"]


@dataclass(frozen=True, eq=False)
class Family:
    """source: where the distances came from; scores: (levels,), see level_scores."""

    source: str
    regions: NestedRegions
    measures: RegionMeasures
    scores: NDArray[np.float64]

    def level_of(self, hint: Hint) -> int:
        """The first level that holds all of a hint's pixels."""
        return int(self.regions.level[tuple(hint.pixels.T)].max())

    def first_level_of(self, hints: Sequence[Hint]) -> int:
        """The first level that holds any pixel of any of the hints; the number of levels for none.
        """
        levels = [int(self.regions.level[tuple(hint.pixels.T)].min()) for hint in hints]
        return min(levels, default=len(self.scores))


def read_family(
    source: str,
    distance: NDArray[np.float32],
    canvas: Canvas,
    hint: Hint,
    weights: ScoreWeights,
) -> Family:
    """distance: (rows, columns), from the hint."""
    regions = nested_regions(without_holes(connected_to(distance, hint.pixels)))
    measures = measure_regions(regions, canvas.edges, hint.center, canvas.body)
    return Family(source, regions, measures, level_scores(measures, weights, hint.is_click))
