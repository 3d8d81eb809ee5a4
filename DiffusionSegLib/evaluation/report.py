"""The numbers of an evaluation as a summary, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from DiffusionSegLib.evaluation.calibration import Calibration
from DiffusionSegLib.evaluation.click_counts import (
    DICE_AFTER,
    IOU_TARGETS,
    click_summary,
    clicks_needed,
    dice_after,
)
from DiffusionSegLib.evaluation.scores import CaseResult, LabelScore, NegativeResult, mean

MEASURES = ("dice", "iou", "hd95_mm", "volume_error_percent")
_VERDICTS = ("FOUND", "UNCERTAIN", "NOT_FOUND")
_CLICK_COLUMNS = (*(f"dice_after_click_{number}" for number in DICE_AFTER), *IOU_TARGETS)
_ORACLE_COLUMNS = ("ORACLE_dice", "ORACLE_iou", "ORACLE_regions")


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
        "rules": dict(Counter(result.rule for result in measured if result.rule)),
    }
    if any(result.clicks for result in measured):
        summary["dice_after_clicks"] = _click_curve(measured)
        summary["clicks"] = click_summary(measured)
    if any(result.oracle for result in measured):
        summary["ORACLE"] = _oracle_means(measured)
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
    """One row per case and label; undefined values are left empty, and so is a number of clicks
    that was not reached."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(
        ["case", "channels", "label", *MEASURES, "truth_ml", "predicted_ml", "ece", "brier",
         "seconds", "verdict", "verdict_score", "rule", *_CLICK_COLUMNS, *_ORACLE_COLUMNS, "error"]
    )  # fmt: skip
    for result in results:
        for number, score in enumerate(result.labels or (None,)):
            writer.writerow(_csv_row(result, number, score))
    return buffer.getvalue()


def _csv_row(result: CaseResult, number: int, score: LabelScore | None) -> list[str]:
    empty = [""] * (len(MEASURES) + 3)
    measured = empty
    if score is not None:
        numbers = [getattr(score, measure) for measure in (*MEASURES, "truth_ml", "predicted_ml")]
        measured = [score.name, *(_number(value) for value in numbers)]
    calibration = [_number(result.calibration.ece), _number(result.calibration.brier)]
    return [
        result.case, "+".join(result.channels), *measured, *calibration, _number(result.seconds),
        result.verdict, _number(result.verdict_score), result.rule, *_csv_clicks(result),
        *_csv_oracle(result, number), result.error or "",
    ]  # fmt: skip


def _csv_clicks(result: CaseResult) -> list[str]:
    if not result.clicks:
        return [""] * len(_CLICK_COLUMNS)
    numbers = [n for n in DICE_AFTER if n <= result.click_limit]
    cells = [_number(dice_after(result, n)) for n in numbers] + [""] * len(DICE_AFTER)
    counts = clicks_needed(result.clicks)
    return cells[: len(DICE_AFTER)] + [
        "" if counts[name] is None else str(counts[name]) for name in IOU_TARGETS
    ]


def _csv_oracle(result: CaseResult, number: int) -> list[str]:
    if not result.oracle:
        return [""] * len(_ORACLE_COLUMNS)
    score = result.oracle[number]
    return [_number(score.dice), _number(score.iou), str(score.regions)]


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


def _oracle_means(results: Sequence[CaseResult]) -> dict[str, Any]:
    """Over cases and labels; ORACLE stands in every name, wherever a number is copied to."""
    scores = [score for result in results for score in result.oracle]
    by_label = {
        name: mean([score.dice for score in scores if score.name == name])
        for name in dict.fromkeys(score.name for score in scores)
    }
    return {
        "ORACLE_dice": mean([score.dice for score in scores]),
        "ORACLE_iou": mean([score.iou for score in scores]),
        "ORACLE_dice_by_label": by_label,
    }


def _click_curve(results: Sequence[CaseResult]) -> list[float]:
    """Mean Dice before any click, after one, after two...; who was done early keeps his Dice."""
    longest = max(len(result.clicks) for result in results)
    numbers = range(longest + 1)
    return [mean([dice_after(result, clicks) for result in results]) for clicks in numbers]


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
    plain = {
        "case": result.case,
        "channels": list(result.channels),
        "dice": result.dice,
        "labels": [asdict(score) for score in result.labels],
        "ece": result.calibration.ece,
        "brier": result.calibration.brier,
        "seconds": result.seconds,
        "verdict": result.verdict,
        "verdict_score": result.verdict_score,
        "rule": result.rule,
        "clicks": [asdict(click) for click in result.clicks],
    }
    if result.clicks:
        plain |= clicks_needed(result.clicks)
    if result.oracle:
        plain["ORACLE"] = [
            {f"ORACLE_{key}": value for key, value in asdict(score).items()}
            for score in result.oracle
        ]
    return plain


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
