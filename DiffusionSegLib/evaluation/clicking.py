"""Lets the simulated user click until the outline is good, and measures after each click."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.evaluation.clicks import Click, first_click, next_click
from DiffusionSegLib.evaluation.label_pairs import LabelPair
from DiffusionSegLib.evaluation.scores import ClickScore
from DiffusionSegLib.evaluation.truth import Truth, foreground, mean_dice, mean_iou
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Point, Prompt
from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegLib.progress import Progress

if TYPE_CHECKING:
    from DiffusionSegLib.evaluation.runner import EvaluationOptions
    from DiffusionSegLib.session import Session


def simulate_clicks(
    session: Session,
    mask: Mask,
    truth: Truth,
    pairs: Sequence[LabelPair],
    options: EvaluationOptions,
    progress: Progress,
) -> tuple[ClickScore, ...]:
    """Dice and IoU after each click; stops early when the outline equals the truth.

    All clicks so far go into a fresh proposal when the method takes points; for a method that takes
    none, each corrects the last outline with `Session.refine`. Raises InputError for a method that
    can do neither.
    """
    true = foreground(pairs, truth.mask)
    spacing_kji = mask.geometry.spacing_mm[::-1]
    points: tuple[Point, ...] = options.prompt.points
    scores: list[ClickScore] = []
    for number in range(1, options.clicks + 1):
        predicted = (mask.array != 0) & truth.counted
        if number == 1:
            click = first_click(true, spacing_kji)
        else:
            click = next_click(true, predicted, spacing_kji)
        if click is None:
            break
        point = _point(click, mask.geometry)
        points = (*points, point)
        started = time.monotonic()
        part = progress.part((number - 1) / options.clicks, number / options.clicks)
        answer = _answer(session, mask, replace(options.prompt, points=points), part)
        mask = answer.mask(options.threshold)
        seconds = time.monotonic() - started
        scores.append(
            ClickScore(
                number,
                point.position_ras,
                point.include,
                mean_dice(mask, truth, pairs),
                seconds,
                mean_iou(mask, truth, pairs),
                answer.provenance.rule,
            )
        )
    return tuple(scores)


def _answer(session: Session, mask: Mask, prompt: Prompt, progress: Progress) -> Proposal:
    if "points" in session.description.prompts:
        return session.propose(prompt, progress=progress)
    if session.description.refines:
        # The mask is its own original: apart from the clicks nothing in it was drawn by the user.
        return session.refine(mask, prompt, progress=progress, original=mask)
    raise InputError(
        f"The method {session.description.name} neither takes points nor refines an outline; "
        "leave --clicks out."
    )


def _point(click: Click, geometry: Geometry) -> Point:
    x, y, z = geometry.kji_to_ras(np.asarray([click.position_kji], dtype=np.float64))[0]
    return Point((float(x), float(y), float(z)), click.include)
