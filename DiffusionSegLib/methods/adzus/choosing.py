"""What a first click or stroke means: all regions that it could mean, by how likely they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.methods.adzus.hints import Hint
from DiffusionSegLib.methods.adzus.options import Option, Options, different
from DiffusionSegLib.methods.adzus.reading import Family

__all__ = ["meant_regions"]

Floats = NDArray[np.float64]
_GRANULARITY = 6.0  # score for a unit of log area, at the slider's ends


def meant_regions(
    families: Sequence[Family],
    hint: Hint,
    opposite: Sequence[Hint],
    granularity: float,
    most: int,
) -> Options:
    """The probability of every pixel to be meant, and the ``most`` likeliest different regions.

    Every level of every family is one reading of the hint, with exp(score) as its weight; the
    probability is the share of the readings that hold a pixel. A region with a pixel of an opposite
    hint is no reading. granularity in [0, 1]: 0 favors parts, 1 wholes; it is a slider over what
    was measured once. When nothing is left, the hint's own pixels are meant.
    """
    scores = [_allowed(family, hint, opposite, granularity) for family in families]
    highest = max(float(one.max()) for one in scores)
    if not np.isfinite(highest):
        return _alone(families[0], hint)
    weights = [np.exp(one - highest) for one in scores]
    total = sum(float(one.sum()) for one in weights)
    probability = np.zeros(families[0].regions.level.shape)
    for family, weight in zip(families, weights, strict=True):
        holding = np.cumsum(weight[::-1])[::-1] / total  # readings at this level or a later one
        probability += holding[family.regions.level]
    return Options(probability.astype(np.float32), _likeliest(families, weights, total, most))


def _allowed(family: Family, hint: Hint, opposite: Sequence[Hint], granularity: float) -> Floats:
    """(levels,): scores; minus infinity without the hint or with an opposite one."""
    levels = np.arange(len(family.scores))
    allowed = (levels >= family.level_of(hint)) & (levels < family.first_level_of(opposite))
    slid = family.scores + _GRANULARITY * (2 * granularity - 1) * np.log(family.measures.area)
    return np.where(allowed, slid, -np.inf)


def _likeliest(
    families: Sequence[Family], weights: Sequence[Floats], total: float, most: int
) -> tuple[Option, ...]:
    ranked = sorted(
        (
            (float(weight[level]), number, int(level))
            for number, weight in enumerate(weights)
            for level in np.argsort(-weight)[: 8 * most]
            if weight[level] > 0
        ),
        reverse=True,
    )
    return different(
        (Option(families[number].regions.region(level), weight / total)
         for weight, number, level in ranked),
        most,
    )  # fmt: skip


def _alone(family: Family, hint: Hint) -> Options:
    region = np.zeros_like(family.regions.level, dtype=bool)
    region[tuple(hint.pixels.T)] = True
    return Options(region.astype(np.float32), (Option(region, 0.0),))
