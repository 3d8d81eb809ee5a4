"""The outlines that could follow a further click: local changes of the last one, and new readings
of the clicks before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from DiffusionSegLib.compute.together import together
from DiffusionSegLib.methods.adzus.bounding import bounding_box
from DiffusionSegLib.methods.adzus.choosing import meant_regions
from DiffusionSegLib.methods.adzus.connected import connected_to, filled
from DiffusionSegLib.methods.adzus.editing import EditWeights, edit_score
from DiffusionSegLib.methods.adzus.hints import Hint
from DiffusionSegLib.methods.adzus.options import Option, Options, different
from DiffusionSegLib.methods.adzus.reading import PlaneReader

__all__ = ["corrected_outlines", "local_changes", "new_readings", "with_hints"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]
_SHARES = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_FEWEST_PIXELS = 4
_READINGS = 6
_LEAST_SHARE = 1e-6  # less decides nothing


def corrected_outlines(
    reader: PlaneReader,
    last: Bools,
    hint: Hint,
    others: Sequence[Hint],
    granularity: float,
    weights: EditWeights,
    most: int,
) -> Options | None:
    """All outlines that agree with the hint, weighed as the readings of a first click are; None
    when there is none."""
    canvas = reader.plane.canvas
    outlines = [(one, True) for one in local_changes(reader, last, hint, others)]
    outlines += [(one, False) for one in new_readings(reader, last, hint, others, granularity)]
    scores = np.array(
        together(lambda one: edit_score(one[0], last, hint, canvas, one[1], weights), outlines)
    )
    if len(scores) == 0 or not np.isfinite(scores).any():
        return None
    shares = np.exp(scores - scores.max())
    shares /= shares.sum()
    probability = np.zeros(last.shape, dtype=np.float32)
    for share, (outline, _) in zip(shares, outlines, strict=True):
        if share > _LEAST_SHARE:
            probability += np.float32(share) * outline
    ranked = (Option(outlines[n][0], float(shares[n])) for n in np.argsort(-shares))
    return Options(probability, different(ranked, most))


def local_changes(
    reader: PlaneReader, last: Bools, hint: Hint, others: Sequence[Hint]
) -> Iterator[Bools]:
    """The last outline with ever larger regions around the hint added (or taken away).

    Regions grow where the last outline is wrong by the hint, and end before the first hint that
    says otherwise.
    """
    wrong = ~last if hint.include else last
    distances = list(reader.distances(hint).values())
    for reached in together(lambda distance: _reached(distance, wrong, hint), distances):
        stop = _first_contrary(reached, hint, others)
        values = reached[reached < stop]
        if len(values) == 0:
            continue
        for limit in np.unique(np.quantile(values, _SHARES)):
            grown = reached <= limit
            if np.count_nonzero(grown) >= _FEWEST_PIXELS:
                changed = filled(last | grown) if hint.include else last & ~grown
                yield with_hints(changed, others)


def _reached(distance: Floats, wrong: Bools, hint: Hint) -> Floats:
    """(rows, columns): as connected_to, by paths that stay where the outline is wrong; infinity
    for what they do not reach."""
    box = bounding_box(wrong)
    beyond = np.float32(float(distance.max()) * 4 + 1)
    found = np.full(distance.shape, np.inf, dtype=np.float32)
    inside = np.where(wrong[box], distance[box], beyond)
    pixels = hint.pixels[wrong[tuple(hint.pixels.T)]] - (box[0].start, box[1].start)
    reached = connected_to(inside, pixels)
    found[box] = np.where(wrong[box] & (reached < beyond / 2), reached, np.inf)
    return found


def new_readings(
    reader: PlaneReader,
    last: Bools,
    hint: Hint,
    others: Sequence[Hint],
    granularity: float,
) -> Iterator[Bools]:
    """Regions that the first included hint, or this one, could mean instead, given all hints.

    Parts of the last outline that hold other included hints stay.
    """
    included = [one for one in others if one.include]
    excluded = [one for one in (*others, hint) if not one.include]
    labels, _ = ndimage.label(last)
    for one in [*included[:1], *([hint] if hint.include else [])]:
        found = meant_regions(reader.families(one), one, excluded, granularity, _READINGS)
        for option in found.likeliest:
            region = option.outline.copy()
            for other in included:
                if not region[tuple(other.pixels.T)].all():
                    region |= (labels == labels[tuple(other.pixels[0])]) & last
            if bool(region[tuple(hint.pixels[0])]) == hint.include:
                yield region


def with_hints(outline: Bools, hints: Sequence[Hint]) -> Bools:
    """The outline with every hint's pixels as they must be."""
    kept = outline.copy()
    for hint in hints:
        kept[tuple(hint.pixels.T)] = hint.include
    return kept


def _first_contrary(reached: NDArray[np.float32], hint: Hint, others: Sequence[Hint]) -> float:
    contrary = [one for one in others if one.include != hint.include]
    return min((float(reached[tuple(one.pixels.T)].min()) for one in contrary), default=np.inf)
