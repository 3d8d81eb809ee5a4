"""All that a hint can mean in a slice: some families of nested regions, each with its scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.compute.together import together
from DiffusionSegLib.methods.adzus.closeness import (
    attention_and_space,
    color_and_space,
    geodesic,
)
from DiffusionSegLib.methods.adzus.cohesion import normalized_cuts
from DiffusionSegLib.methods.adzus.connected import connected_to, without_holes
from DiffusionSegLib.methods.adzus.hints import Hint
from DiffusionSegLib.methods.adzus.level_score import LARGEST_AREA, ScoreWeights, level_scores
from DiffusionSegLib.methods.adzus.markov import markov_map, start_at
from DiffusionSegLib.methods.adzus.nested import (
    NestedRegions,
    RegionMeasures,
    measure_regions,
    nested_regions,
)
from DiffusionSegLib.methods.adzus.options import Options
from DiffusionSegLib.methods.adzus.plane import Plane

__all__ = ["EVIDENCE", "Family", "PlaneReader"]

Floats = NDArray[np.float32]
EVIDENCE = ("both", "attention", "image")
_REMEMBERED = 64  # hints


@dataclass(frozen=True, eq=False)
class Family:
    """source: where the distances came from; scores: (levels,), see level_scores."""

    source: str
    regions: NestedRegions
    measures: RegionMeasures
    cuts: NDArray[np.float64]
    scores: NDArray[np.float64]

    def level_of(self, hint: Hint) -> int:
        """The first level that holds all of a hint's pixels."""
        return int(self.regions.level[tuple(hint.pixels.T)].max())

    def first_level_of(self, hints: Sequence[Hint]) -> int:
        """The first level that holds a pixel of any of the hints; the number of levels for none."""
        levels = [int(self.regions.level[tuple(hint.pixels.T)].min()) for hint in hints]
        return min(levels, default=len(self.scores))


class PlaneReader:
    """Reads hints in one slice; what was read once is remembered.

    evidence: "attention" alone (Markov maps, as M2N2), the "image" alone (color, space, edges; no
    normalized cut counts), or "both": regions of all three kinds, judged by attention too.
    """

    def __init__(
        self, plane: Plane, evidence: str = "both", weights: ScoreWeights | None = None
    ) -> None:
        self.plane = plane
        self.evidence = evidence
        self._weights = weights or ScoreWeights()
        self._distances: dict[tuple[bytes, bool], dict[str, Floats]] = {}
        self._families: dict[tuple[bytes, bool], tuple[Family, ...]] = {}
        self._answers: dict[tuple[Any, ...], tuple[Options, Floats]] = {}

    def distances(self, hint: Hint) -> dict[str, Floats]:
        """By source: (rows, columns) of the canvas, distance from the hint."""
        if hint.key not in self._distances:
            _make_room(self._distances)
            self._distances[hint.key] = self._measure(hint)
        return self._distances[hint.key]

    def families(self, hint: Hint) -> tuple[Family, ...]:
        """One for every source."""
        if hint.key not in self._families:
            _make_room(self._families)
            found = list(self.distances(hint).items())
            made = together(lambda item: self._family(item[0], item[1], hint), found)
            self._families[hint.key] = tuple(made)
        return self._families[hint.key]

    def remembered(
        self, said: tuple[Any, ...], answer: Callable[[], tuple[Options, Floats]]
    ) -> tuple[Options, Floats]:
        """What was answered to the same before; so a further click costs no more than one."""
        if said not in self._answers:
            _make_room(self._answers)
            self._answers[said] = answer()
        return self._answers[said]

    def _measure(self, hint: Hint) -> dict[str, Floats]:
        canvas = self.plane.canvas
        if self.evidence == "attention":
            return {"attention": self._markov(hint)}
        work: dict[str, Callable[[], Floats]] = {
            "color": lambda: color_and_space(canvas, hint),
            "edges": lambda: geodesic(canvas, hint),
        }
        if self.evidence == "both":
            work["attention"] = lambda: attention_and_space(self._markov(hint), canvas, hint)
        return dict(zip(work, together(lambda one: one(), list(work.values())), strict=True))

    def _markov(self, hint: Hint) -> Floats:
        """M2N2's map, enlarged along the picture's edges."""
        size = np.asarray(self.plane.canvas.size)
        places = [(float(row), float(column)) for row, column in (hint.pixels + 0.5) / size]
        attention = self.plane.attention
        steps = markov_map(attention.walk, start_at(places, attention.grid))
        return self.plane.enlarge(steps.numpy())

    def _family(self, source: str, distance: Floats, hint: Hint) -> Family:
        canvas = self.plane.canvas
        # What a front that spreads from the hint has reached hangs together as it is.
        whole = distance if source == "edges" else connected_to(distance, hint.pixels)
        regions = nested_regions(without_holes(whole))
        measures = measure_regions(regions, canvas, hint.center)
        if self.evidence == "image":
            cuts = np.ones(len(regions.areas))
        else:
            count = int(np.count_nonzero(measures.area <= LARGEST_AREA))  # larger are not meant
            cuts = normalized_cuts(regions, self.plane.attention, count)
        scores = level_scores(measures, cuts, source, self._weights, hint.is_click)
        return Family(source, regions, measures, cuts, scores)


def _make_room(memory: dict[Any, Any]) -> None:
    while len(memory) >= _REMEMBERED:
        memory.pop(next(iter(memory)))
