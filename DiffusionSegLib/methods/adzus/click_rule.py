"""Clicks and strokes on one slice, in the order in which they were made."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.methods.adzus.choosing import meant_regions
from DiffusionSegLib.methods.adzus.corrections import corrected_outlines
from DiffusionSegLib.methods.adzus.editing import EditWeights
from DiffusionSegLib.methods.adzus.hints import Hint
from DiffusionSegLib.methods.adzus.options import Options
from DiffusionSegLib.methods.adzus.plane_outline import PlaneCandidate, PlaneOutline
from DiffusionSegLib.methods.adzus.reading import PlaneReader

__all__ = ["RULES", "outline_hints"]

Floats = NDArray[np.float32]
RULES = {
    "both": "clicks: nested regions of color and edges, judged by edges and attention",
    "attention": "clicks: Markov maps of self-attention, judged by edges and attention",
    "image": "clicks: nested regions of color and edges, without attention",
}
_CANDIDATES = 5


def outline_hints(
    reader: PlaneReader,
    hints: Sequence[Hint],
    granularity: float = 0.5,
    weights: EditWeights | None = None,
) -> PlaneOutline:
    """The first included hint chooses a region, every further one corrects the outline.

    A hint that the outline agrees with changes nothing. hints: at least one included. All of their
    pixels are as they say in the result. The outline after the first n hints is the one that these
    alone would give.
    """
    start = next(number for number, hint in enumerate(hints) if hint.include)
    first, before = hints[start], list(hints[:start])
    options = meant_regions(reader.families(first), first, before, granularity, _CANDIDATES)
    used = [*before, first]
    probability = _pinned(options.probability, used)
    for hint in hints[start + 1 :]:
        outline = probability >= 0.5
        used = [*used, hint]
        if not bool((outline[tuple(hint.pixels.T)] == hint.include).all()):
            found = corrected_outlines(
                reader, outline, hint, used[:-1], granularity, weights or EditWeights(), _CANDIDATES
            )
            if found is not None:
                options, probability = found, found.probability
        probability = _pinned(probability, used)
    return PlaneOutline(
        probability, _confidence(options), RULES[reader.evidence], _candidates(options)
    )


def _pinned(probability: Floats, hints: Sequence[Hint]) -> Floats:
    kept = probability.copy()
    for hint in hints:
        kept[tuple(hint.pixels.T)] = 1.0 if hint.include else 0.0
    return kept


def _confidence(options: Options) -> float:
    """How alike the readings are: mean certainty of the pixels that any of them may hold."""
    inside = options.probability[options.probability >= 0.5]
    if inside.size == 0:
        return 0.0
    return float(np.clip(inside.mean(), 0.0, 1.0))


def _candidates(options: Options) -> tuple[PlaneCandidate, ...]:
    """All that differ from the answer, named by their size in comparison."""
    answer = options.probability >= 0.5
    base = max(1, int(answer.sum()))
    return tuple(
        PlaneCandidate(one.outline, one.likelihood, _title(int(one.outline.sum()) / base))
        for one in options.likeliest
        if not np.array_equal(one.outline, answer)
    )


def _title(ratio: float) -> str:
    return f"{ratio:.1f} times as large" if ratio >= 1 else f"{ratio:.0%} of the size"
