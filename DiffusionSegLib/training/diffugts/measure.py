"""What is measured of a finished run, and the numbers that are chosen by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from DiffusionSegLib.methods.diffugts.dimensions import resized
from DiffusionSegLib.methods.diffugts.region_choice import RegionChoice
from DiffusionSegLib.training.diffugts.cuts import HEALTHY, REAL
from DiffusionSegLib.training.diffugts.prepared import Prepared

__all__ = [
    "Answer", "answer", "best_threshold", "mean_dice", "presence_limits", "ranking",
]  # fmt: skip

Floats = NDArray[np.float32]
THRESHOLDS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)


@dataclass(frozen=True)
class Answer:
    """Of one cut: quality of its best region; dice: of the coarse mask at each of THRESHOLDS; best:
    of the best region there is, as the canvas allows."""

    number: int
    quality: float
    dice: Floats
    best: float


@torch.no_grad()
def answer(prepared: Prepared, number: int, choice: RegionChoice, features: Floats) -> Answer:
    """The coarse mask of a cut, and how well it fits on the picture's own grid."""
    cut, regions = prepared.cuts[number], prepared.regions[number]
    found = choice.choose(regions.zones()[0], features)
    belief = resized(torch.from_numpy(found.belief)[None, None], tuple(cut.image.shape))[0, 0]
    counted = ~cut.ignored
    mask = cut.mask & counted
    dice = []
    for threshold in THRESHOLDS:
        inside = (belief >= threshold) & counted
        total = int(inside.sum()) + int(mask.sum())
        dice.append(2 * int((inside & mask).sum()) / max(1, total))
    best = float(regions.dice.max()) if len(regions.dice) else 0.0
    return Answer(number, found.quality, np.array(dice, np.float32), best)


def best_threshold(prepared: Prepared, answers: Sequence[Answer]) -> float:
    """That with the best mean over kinds of their mean Dice."""
    kinds = _by_kind(prepared, answers)
    if not kinds:
        return THRESHOLDS[len(THRESHOLDS) // 2]
    means = np.mean([np.mean([one.dice for one in own], axis=0) for own in kinds.values()], axis=0)
    return THRESHOLDS[int(np.argmax(means))]


def mean_dice(
    prepared: Prepared, answers: Sequence[Answer], threshold: float
) -> dict[str, dict[str, Any]]:
    """By kind: pictures, mean and median Dice of the coarse mask, mean of the best region."""
    place = THRESHOLDS.index(threshold)
    return {
        kind: {
            "pictures": len(own),
            "dice": round(float(np.mean([one.dice[place] for one in own])), 3),
            "median_dice": round(float(np.median([one.dice[place] for one in own])), 3),
            "best_region_dice": round(float(np.mean([one.best for one in own])), 3),
        }
        for kind, own in sorted(_by_kind(prepared, answers).items())
    }


def presence_limits(
    prepared: Prepared, answers: Sequence[Answer], false_alarms: float
) -> dict[str, float]:
    """found: the least score that at most that share of healthy pictures reaches; absent: the score
    that all tumors but the same share reach, at most ``found``. Between them the answer is shown
    and called uncertain: a limit that keeps most healthy pictures silent would silence most tumors
    too. And the shares that reach each, of healthy pictures and of tumors."""
    roles = {role: _scores(prepared, answers, role) for role in (HEALTHY, REAL)}
    found = min(_limit(roles[HEALTHY], false_alarms), 0.999)
    lost = float(np.quantile(roles[REAL], false_alarms)) if len(roles[REAL]) else 0.0
    absent = min(lost, found)
    limits = {"absent": round(absent, 4), "found": round(found, 4)}
    shares = {
        f"{role}_{name}": round(float((scores >= limits[name]).mean()), 3)
        for role, scores in roles.items()
        for name in ("absent", "found")
        if len(scores)
    }
    return {**limits, **shares, **{f"{role}_pictures": len(s) for role, s in roles.items()}}


def ranking(tumors: Sequence[float], healthy: Sequence[float]) -> float:
    """Area under the curve: how often a tumor's score is above a healthy picture's."""
    if not len(tumors) or not len(healthy):
        return float("nan")
    apart = np.asarray(tumors)[:, None] - np.asarray(healthy)[None]
    return float((apart > 0).mean() + 0.5 * (apart == 0).mean())


def _limit(scores: Floats, share: float) -> float:
    """Just above the score that too many reach."""
    if not len(scores):
        return 0.2
    ordered = np.sort(scores)[::-1]
    allowed = int(np.floor(share * len(scores)))
    return float(ordered[allowed]) + 1e-4 if allowed < len(ordered) else 0.0


def _scores(prepared: Prepared, answers: Sequence[Answer], role: str) -> Floats:
    own = [one.quality for one in answers if prepared.cuts[one.number].role == role]
    return np.array(own, np.float32)


def _by_kind(prepared: Prepared, answers: Sequence[Answer]) -> Mapping[str, list[Answer]]:
    kinds: dict[str, list[Answer]] = {}
    for one in answers:
        if prepared.cuts[one.number].role == REAL:
            kinds.setdefault(prepared.kind[one.number], []).append(one)
    return kinds
