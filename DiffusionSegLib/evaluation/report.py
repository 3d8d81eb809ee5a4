"""The numbers of an evaluation as a summary, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from DiffusionSegLib.evaluation.calibration import Calibration
from DiffusionSegLib.evaluation.scores import CaseResult, LabelScore, NegativeResult, mean

MEASURES = ("dice", "iou", "hd95_mm", "volume_error_percent")
_VERDICTS = ("FOUND", "UNCERTAIN", "NOT_FOUND")


def summarise(
    results: Sequence[CaseResult], negatives: Sequence[NegativeResult] = ()
) -> dict[str, Any]:
    """Means over the cases that could be measured, per label and over labels.

    The volume error is averaged without its sign. `hd95_undefined` counts outlines without a
    distance, because either the outline or the truth is empty. ECE and Brier score are over
    all voxels of all cases together.
    """
    measured = [result for result in results if result.error is None]
    calibration = sum((result.calibration for result in measured), Calibration())
    by_label = _scores_by_label(measured)
    summary: dict[str, Any] = {
        "cases": len(results),
        "failed": len(results) - len(measured),
        **_over_labels(measured),
        "labels": {name: _means(scores) for name, scores in by_label.items()},
        "ece": calibration.ece,
        "brier": calibration.brier,
        "reliability": calibration.table(),
        "seconds": mean([result.seconds for result in measured]),
        "verdicts": _counts([result.verdict for result in measured]),
    }
    if any(result.clicks for result in measured):
        summary["dice_after_clicks"] = _click_curve(measured)
    if negatives:
        summary["negatives"] = _false_alarms(negatives)
    return summary


def to_plain(
    results: Sequence[CaseResult],
    negatives: Sequence[NegativeResult],
    setting: dict[str, Any],
) -> dict[str, Any]:
    """Everything, as JSON takes it: NaN becomes null."""
    plain: dict[str, Any] = {
        "setting": setting,
        "summary": summarise(results, negatives),
        "cases": [_plain_case(result) for result in results],
    }
    if negatives:
        plain["negatives"] = [asdict(result) for result in negatives]
    cleaned: dict[str, Any] = _without_nan(plain)
    return cleaned


def to_csv(results: Sequence[CaseResult]) -> str:
    """One row per case and label; undefined values are left empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(
        ["case", "channels", "label", *MEASURES, "truth_ml", "predicted_ml", "ece", "brier",
         "seconds", "verdict", "verdict_score", "error"]
    )  # fmt: skip
    for result in results:
        for score in result.labels or (None,):
            writer.writerow(_csv_row(result, score))
    return buffer.getvalue()


def _csv_row(result: CaseResult, score: LabelScore | None) -> list[str]:
    empty = [""] * (len(MEASURES) + 3)
    measured = empty
    if score is not None:
        numbers = [getattr(score, measure) for measure in (*MEASURES, "truth_ml", "predicted_ml")]
        measured = [score.name, *(_number(value) for value in numbers)]
    calibration = [_number(result.calibration.ece), _number(result.calibration.brier)]
    return [
        result.case, "+".join(result.channels), *measured, *calibration, _number(result.seconds),
        result.verdict, _number(result.verdict_score), result.error or "",
    ]  # fmt: skip


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6g}"


def _scores_by_label(results: Sequence[CaseResult]) -> dict[str, list[LabelScore]]:
    by_label: dict[str, list[LabelScore]] = {}
    for result in results:
        for score in result.labels:
            by_label.setdefault(score.name, []).append(score)
    return by_label


def _means(scores: Sequence[LabelScore]) -> dict[str, Any]:
    hd95 = [score.hd95_mm for score in scores]
    return {
        "dice": mean([score.dice for score in scores]),
        "iou": mean([score.iou for score in scores]),
        "hd95_mm": mean(hd95),
        "hd95_undefined": sum(math.isnan(distance) for distance in hd95),
        "volume_error_percent": mean([abs(score.volume_error_percent) for score in scores]),
    }


def _over_labels(results: Sequence[CaseResult]) -> dict[str, Any]:
    means = _means([score for result in results for score in result.labels])
    dices = sorted(result.dice for result in results if result.labels)
    spread = math.sqrt(mean([(dice - mean(dices)) ** 2 for dice in dices])) if dices else math.nan
    median = (dices[(len(dices) - 1) // 2] + dices[len(dices) // 2]) / 2 if dices else math.nan
    return {**means, "dice_median": median, "dice_standard_deviation": spread}


def _click_curve(results: Sequence[CaseResult]) -> list[float]:
    """Mean Dice before any click, after one, after two...; who was done early keeps his Dice."""
    longest = max(len(result.clicks) for result in results)
    numbers = range(longest + 1)
    return [mean([_dice_after(result, clicks) for result in results]) for clicks in numbers]


def _dice_after(result: CaseResult, clicks: int) -> float:
    done = result.clicks[:clicks]
    return done[-1].dice if done else result.dice


def _false_alarms(negatives: Sequence[NegativeResult]) -> dict[str, Any]:
    measured = [result for result in negatives if result.error is None]
    counts = _counts([result.verdict for result in measured])
    total = len(measured)
    return {
        "images": len(negatives),
        "failed": len(negatives) - total,
        "verdicts": counts,
        "false_alarm_rate": counts["FOUND"] / total if total else math.nan,
        "uncertain_rate": counts["UNCERTAIN"] / total if total else math.nan,
    }


def _counts(verdicts: Sequence[str]) -> dict[str, int]:
    return {name: sum(verdict == name for verdict in verdicts) for name in _VERDICTS}


def _plain_case(result: CaseResult) -> dict[str, Any]:
    if result.error is not None:
        return {"case": result.case, "error": result.error}
    return {
        "case": result.case,
        "channels": list(result.channels),
        "dice": result.dice,
        "labels": [asdict(score) for score in result.labels],
        "ece": result.calibration.ece,
        "brier": result.calibration.brier,
        "seconds": result.seconds,
        "verdict": result.verdict,
        "verdict_score": result.verdict_score,
        "clicks": [asdict(click) for click in result.clicks],
    }


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
