"""One case, one algorithm: clicks of the simulated user until the outline is good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from DiffusionSegLib.evaluation import metrics
from DiffusionSegLib.evaluation.clicks import Click, first_click, next_click
from Testing.Benchmarks.common import clock
from Testing.Benchmarks.zero_shot.cases import ZeroShotCase
from Testing.Benchmarks.zero_shot.outliner import Outliner

MOST_CLICKS = 10
SHOWN = (1, 3, 5)
GOALS = (0.80, 0.90)


@dataclass(frozen=True)
class Clicked:
    """dice: after each click, at least SHOWN[-1] numbers unless `most` is less. seconds: of each
    answer; prepared: seconds of set_image."""

    name: str
    dice: tuple[float, ...]
    seconds: tuple[float, ...]
    prepared: float

    def needed(self, goal: float) -> int | None:
        """Clicks after which Dice first reaches `goal`; None: never."""
        return next((n for n, dice in enumerate(self.dice, 1) if dice >= goal), None)


def click_case(
    outliner: Outliner, case: ZeroShotCase, device: str = "cpu", most: int = MOST_CLICKS
) -> Clicked:
    """The k-th click corrects the outline of the k-1 before it (evaluation/clicks.py).

    Stops after `most` clicks, or once SHOWN[-1] are done and the highest goal is reached. An exact
    outline stays: its Dice counts for the clicks that are not needed. device: whose time counts
    (common.clock).
    """
    begun = clock(device)
    outliner.set_image(case.image)
    prepared = clock(device) - begun
    spacing_kji = case.image.geometry.spacing_mm[::-1]
    clicks: list[Click] = []
    dice: list[float] = []
    seconds: list[float] = []
    click = first_click(case.truth, spacing_kji)
    while click is not None and len(clicks) < most and not _is_done(dice):
        clicks.append(click)
        begun = clock(device)
        predicted = outliner.outline(clicks)
        seconds.append(clock(device) - begun)
        dice.append(metrics.dice(predicted, case.truth))
        click = next_click(case.truth, predicted, spacing_kji)
    shown = min(most, SHOWN[-1])
    dice += dice[-1:] * (shown - len(dice))
    return Clicked(case.name, tuple(dice), tuple(seconds), prepared)


def _is_done(dice: Sequence[float]) -> bool:
    return len(dice) >= SHOWN[-1] and bool(np.max(dice) >= GOALS[-1])
