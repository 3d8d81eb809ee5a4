"""What clicks bring, as papers on interactive segmentation count it.

Number of clicks (NoC85, NoC90): how many it takes until the IoU reaches 0.85 or 0.90; who never
gets there counts with the largest allowed number (20 in the papers) and is counted besides. The
convention of K. Sofiiuk et al., Reviving iterative training with mask guidance for interactive
segmentation (RITM), ICIP 2022, and of the papers around it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from DiffusionSegLib.evaluation.scores import CaseResult, ClickScore, mean

__all__ = [
    "DICE_AFTER",
    "IOU_TARGETS",
    "click_summary",
    "clicks_needed",
    "clicks_until",
    "dice_after",
]

DICE_AFTER = (1, 3, 5)
IOU_TARGETS: Mapping[str, float] = {"noc85": 0.85, "noc90": 0.90}


def clicks_until(iou_after: Sequence[float], target: float) -> int | None:
    """The first click, counted from 1, after which the IoU is at least the target; None: never."""
    reached = (number for number, iou in enumerate(iou_after, 1) if iou >= target)
    return next(reached, None)


def clicks_needed(clicks: Sequence[ClickScore]) -> dict[str, int | None]:
    """ "noc85" and "noc90" of one case; None where the clicks did not suffice."""
    iou_after = [click.iou for click in clicks]
    return {name: clicks_until(iou_after, target) for name, target in IOU_TARGETS.items()}


def dice_after(result: CaseResult, clicks: int) -> float:
    """Who was done after fewer clicks keeps that Dice; without any click it is the first one."""
    done = result.clicks[:clicks]
    return done[-1].dice if done else result.dice


def click_summary(results: Sequence[CaseResult]) -> dict[str, Any]:
    """Means over the measured cases that were clicked at all (the others have no object)."""
    clicked = [result for result in results if result.clicks]
    limit = max((result.click_limit for result in clicked), default=0)
    summary: dict[str, Any] = {"limit": limit, "cases": len(clicked)}
    summary["dice_after"] = {
        str(number): mean([dice_after(result, number) for result in clicked])
        for number in DICE_AFTER
        if number <= limit
    }
    needed = [clicks_needed(result.clicks) for result in clicked]
    for name in IOU_TARGETS:
        counts = [one[name] for one in needed]
        never = counts.count(None)
        total = sum(count for count in counts if count is not None) + never * limit
        summary[name] = total / len(counts) if counts else math.nan
        summary[f"{name}_never"] = never
    rules = sorted({click.rule for result in clicked for click in result.clicks if click.rule})
    return {**summary, "rules": rules}
