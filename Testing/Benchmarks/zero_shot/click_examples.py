"""What ADZUS weighs when it answers simulated clicks, with the Dice that each choice would have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.evaluation.clicks import first_click, next_click
from DiffusionSegLib.methods.adzus.choosing import meant_regions
from DiffusionSegLib.methods.adzus.corrections import local_changes, new_readings, with_hints
from DiffusionSegLib.methods.adzus.editing import EditWeights, edit_measures
from DiffusionSegLib.methods.adzus.hints import Hint, disc_hint
from DiffusionSegLib.methods.adzus.level_score import ScoreWeights, measure_table
from DiffusionSegLib.methods.adzus.plane import Plane
from DiffusionSegLib.methods.adzus.reading import PlaneReader

__all__ = ["Example", "Examples", "click_examples"]

BoolArray = NDArray[np.bool_]
Floats = NDArray[np.float64]
_SPACING = (1.0, 1.0, 1.0)
_HALF = 0.5  # granularity


@dataclass(frozen=True, eq=False)
class Example:
    """measures: (choices, columns); dice: (choices,)."""

    measures: Floats
    dice: Floats


@dataclass(eq=False)
class Examples:
    """Of first clicks, of further clicks, and the Dice that was reached after each click."""

    first: list[Example] = field(default_factory=list)
    further: list[Example] = field(default_factory=list)
    reached: list[list[float]] = field(default_factory=list)


def click_examples(
    plane: Plane,
    truth: BoolArray,
    clicks: int,
    scores: ScoreWeights,
    edits: EditWeights,
    into: Examples,
) -> None:
    """Click as the simulated user does, on the canvas, with the outlines of the given weights.

    truth: (rows, columns) of the canvas.
    """
    reader = PlaneReader(plane, weights=scores)
    outline = np.zeros_like(truth)
    hints: list[Hint] = []
    reached: list[float] = []
    for _ in range(clicks):
        hint = _click(truth, outline if hints else None)
        if hint is None:
            break
        if not hints:
            into.first.append(_first(reader, hint, truth))
            found = meant_regions(reader.families(hint), hint, [], _HALF, 1)
            outline = with_hints(found.probability >= 0.5, [hint])
        elif bool(outline[tuple(hint.pixels[0])]) != hint.include:
            outline = _further(reader, outline, hint, hints, truth, edits, into)
        hints.append(hint)
        reached.append(_dice(outline, truth))
    into.reached.append(reached + reached[-1:] * (clicks - len(reached)))


def _click(truth: BoolArray, outline: BoolArray | None) -> Hint | None:
    if outline is None:
        click = first_click(truth[None], _SPACING)
    else:
        click = next_click(truth[None], outline[None], _SPACING)
    if click is None:
        return None
    _, row, column = click.position_kji
    return disc_hint(row, column, (truth.shape[0], truth.shape[1]), click.include)


def _first(reader: PlaneReader, hint: Hint, truth: BoolArray) -> Example:
    tables, dices = [], []
    for family in reader.families(hint):
        table = measure_table(family.measures, family.cuts, family.source, hint.is_click)
        shared = np.cumsum(np.bincount(family.regions.level[truth], minlength=len(table)))
        usable = np.isfinite(family.scores)
        tables.append(table[usable])
        dices.append((2 * shared / (family.regions.areas + truth.sum()))[usable])
    return Example(np.concatenate(tables), np.concatenate(dices))


def _further(
    reader: PlaneReader,
    outline: BoolArray,
    hint: Hint,
    hints: Sequence[Hint],
    truth: BoolArray,
    edits: EditWeights,
    into: Examples,
) -> BoolArray:
    """The next outline; all that competed are added to the examples."""
    outlines = [(one, True) for one in local_changes(reader, outline, hint, hints)]
    outlines += [(one, False) for one in new_readings(reader, outline, hint, hints, _HALF)]
    measured = [
        (edit_measures(one, outline, hint, reader.plane.canvas, local), one)
        for one, local in outlines
    ]
    usable = [(values, one) for values, one in measured if values is not None]
    if not usable:
        return with_hints(outline, [*hints, hint])
    table = np.stack([values for values, _ in usable])
    into.further.append(Example(table, np.array([_dice(one, truth) for _, one in usable])))
    score = table @ edits.vector
    share = np.exp(score - score.max())
    mean = sum(s * one for s, (_, one) in zip(share / share.sum(), usable, strict=True))
    return with_hints(np.asarray(mean) >= 0.5, [*hints, hint])


def _dice(one: BoolArray, other: BoolArray) -> float:
    return 2 * float((one & other).sum()) / max(1, int(one.sum()) + int(other.sum()))
