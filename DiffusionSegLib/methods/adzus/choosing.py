"""Chooses for every hint the region that it means, given the other hints (after M2N2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.methods.adzus.hints import Hint
from DiffusionSegLib.methods.adzus.reading import Family

__all__ = ["Choice", "choose_region"]

Floats = NDArray[np.float64]
_AGREEMENT = 4.0  # score for a region that holds all other hints of its own kind
_GRANULARITY = 3.0  # score for each unit of log area at the slider's ends


@dataclass(frozen=True, eq=False)
class Choice:
    """family and level of the region; score: as level_scores, with what the other hints add."""

    family: Family
    level: int
    score: float

    def scaled(self) -> NDArray[np.float32]:
        """(rows, columns): area of the smallest region that holds a pixel, divided by the area of
        the chosen one: 1 on the outline, less inside."""
        areas = np.maximum(self.family.regions.areas, 1.0)
        table = (areas / areas[self.level]).astype(np.float32)
        return np.asarray(table[self.family.regions.level])


def choose_region(
    families: Sequence[Family],
    hint: Hint,
    same: Sequence[Hint],
    opposite: Sequence[Hint],
    granularity: float,
) -> Choice:
    """The best of all levels of all families of one hint.

    A region with a pixel of an opposite hint is no choice; one with more of the hints of the same
    kind is better. granularity in [0, 1]: 0 favors parts, 1 wholes. When hints contradict each
    other so that nothing is left, the smallest region around the hint.
    """
    return max(
        (_best(family, hint, same, opposite, granularity) for family in families),
        key=lambda choice: choice.score,
    )


def _best(
    family: Family,
    hint: Hint,
    same: Sequence[Hint],
    opposite: Sequence[Hint],
    granularity: float,
) -> Choice:
    scores = prompted_scores(family, same, granularity)
    first, end = family.level_of(hint), family.first_level_of(opposite)
    if end <= first:
        return Choice(family, max(0, min(first, end - 1)), -np.inf)
    level = first + int(np.argmax(scores[first:end]))
    return Choice(family, level, float(scores[level]))


def prompted_scores(family: Family, same: Sequence[Hint], granularity: float) -> Floats:
    """(levels,): the family's scores with what the other hints and the slider add."""
    scores = family.scores + _GRANULARITY * (2 * granularity - 1) * np.log(family.measures.area)
    for other in same:
        holds = np.arange(len(scores)) >= family.level_of(other)
        scores = scores + _AGREEMENT / len(same) * holds
    return scores
