"""Clicks and strokes on one slice, in the order in which they were made."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

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
    "both": "clicks: nested regions of color, edges and attention, judged together",
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
    used = weights or EditWeights()
    start = next(number for number, hint in enumerate(hints) if hint.include)
    said = [(hint.key, hint.include) for hint in hints]
    first = hints[start]
    options, probability = reader.remembered(
        (granularity, used, *said[: start + 1]),
        lambda: _first(reader, first, hints[:start], granularity),
    )
    for count in range(start + 1, len(hints)):
        options, probability = reader.remembered(
            (granularity, used, *said[: count + 1]),
            partial(
                _next, reader, options, probability, hints[count], hints[:count], granularity, used
            ),
        )
    return PlaneOutline(
        probability.copy(), _confidence(options), RULES[reader.evidence], _candidates(options)
    )


def _first(
    reader: PlaneReader, hint: Hint, before: Sequence[Hint], granularity: float
) -> tuple[Options, Floats]:
    """What the first included hint means; those before it exclude."""
    options = meant_regions(reader.families(hint), hint, before, granularity, _CANDIDATES)
    return options, _pinned(options.probability, [*before, hint])


def _next(
    reader: PlaneReader,
    options: Options,
    probability: Floats,
    hint: Hint,
    before: Sequence[Hint],
    granularity: float,
    weights: EditWeights,
) -> tuple[Options, Floats]:
    """The same options, or those that agree with a further hint."""
    outline = probability >= 0.5
    if not bool((outline[tuple(hint.pixels.T)] == hint.include).all()):
        found = corrected_outlines(
            reader, outline, hint, before, granularity, weights, _CANDIDATES
        )
        if found is not None:
            options, probability = found, found.probability
    return options, _pinned(probability, [*before, hint])


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
