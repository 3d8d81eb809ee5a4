"""The lines that `diffusionseg evaluate` prints."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from DiffusionSegLib.evaluation.scores import CaseResult, NegativeResult

_COLUMNS = ("Dice", "IoU", "HD95", "volume %", "ECE", "seconds")
_VERDICT_WIDTH = len("NOT_FOUND (0.00)")
_ORACLE = "ORACLE (regions chosen with the known outline; not what the method would outline)"


def header_line(width: int) -> str:
    """Names of the columns of case_line."""
    numbers = "  ".join(f"{name:>8}" for name in _COLUMNS)
    return f"{'case':<{width}}  {numbers}  {'verdict':<{_VERDICT_WIDTH}}  rule"


def case_line(result: CaseResult, width: int) -> str:
    """Means over labels; then Dice after each click, then the oracle's."""
    if result.error is not None:
        return f"{result.case:<{width}}  failed: {result.error}"
    from DiffusionSegLib.evaluation.scores import mean

    cells = [
        decimals(result.dice, 3),
        decimals(mean([label.iou for label in result.labels]), 3),
        decimals(mean([label.hd95_mm for label in result.labels]), 2),
        decimals(mean([label.volume_error_percent for label in result.labels]), 1),
        decimals(result.calibration.ece, 4),
        decimals(result.seconds, 2),
    ]
    line = f"{result.case:<{width}}  " + "  ".join(f"{cell:>8}" for cell in cells)
    verdict = f"{result.verdict} ({decimals(result.verdict_score, 2)})"
    line += f"  {verdict:<{_VERDICT_WIDTH}}  {result.rule or '-'}"
    clicks = " ".join(decimals(click.dice, 3) for click in result.clicks)
    if clicks:
        line += f"  after clicks: {clicks}"
    if result.oracle:
        dice = mean([score.dice for score in result.oracle])
        iou = mean([score.iou for score in result.oracle])
        line += f"  ORACLE Dice {decimals(dice, 3)}, ORACLE IoU {decimals(iou, 3)}"
    return line


def negative_line(result: NegativeResult, width: int) -> str:
    """The verdict on an image without the object."""
    if result.error is not None:
        return f"{result.case:<{width}}  failed: {result.error}"
    return (
        f"{result.case:<{width}}  without the object: {result.verdict} "
        f"({decimals(result.verdict_score, 2)})"
    )


def summary_lines(summary: dict[str, Any], unpaired: Sequence[str]) -> list[str]:
    """The means, as sentences and a small table."""
    lines = ["", f"{summary['cases'] - summary['failed']} cases measured{_failed(summary)}"]
    width = max([len("mean"), *(len(name) for name in summary["labels"])])
    lines.append(f"{'':<{width}}  {'Dice':>8}  {'IoU':>8}  {'HD95':>8}  {'|volume| %':>10}")
    rows = {**summary["labels"], "mean": summary}
    lines += [_row(name, means, width) for name, means in rows.items()]
    verdicts = ", ".join(f"{name} {count}" for name, count in summary["verdicts"].items())
    lines += [
        f"Dice: median {decimals(summary['dice_median'], 3)}, standard deviation "
        f"{decimals(summary['dice_standard_deviation'], 3)}",
        f"Calibration: ECE {decimals(summary['ece'], 4)}, Brier {decimals(summary['brier'], 4)}",
        f"{decimals(summary['seconds'], 2)} seconds per case; verdicts: {verdicts}",
    ]
    if summary["hd95_undefined"]:
        lines.append(f"HD95 leaves out {summary['hd95_undefined']} outlines: one of both is empty.")
    lines += _rules(summary) + _clicks(summary) + _oracle(summary) + _negatives(summary)
    if unpaired:
        lines.append(f"Left out, without a complete image: {', '.join(unpaired)}")
    return lines


def decimals(value: float, count: int) -> str:
    """A number, or a dash where there is none."""
    return "-" if math.isnan(value) else f"{value:.{count}f}"


def _row(name: str, means: dict[str, Any], width: int) -> str:
    return (
        f"{name:<{width}}  {decimals(means['dice'], 3):>8}  {decimals(means['iou'], 3):>8}  "
        f"{decimals(means['hd95_mm'], 2):>8}  {decimals(means['volume_error_percent'], 1):>10}"
    )


def _failed(summary: dict[str, Any]) -> str:
    return f", {summary['failed']} failed" if summary["failed"] else ""


def _rules(summary: dict[str, Any]) -> list[str]:
    if not summary["rules"]:
        return []
    counts = ", ".join(f'"{rule}" {count}' for rule, count in summary["rules"].items())
    return [f"Rule that made the outlines: {counts}"]


def _oracle(summary: dict[str, Any]) -> list[str]:
    if "ORACLE" not in summary:
        return []
    means = summary["ORACLE"]
    return [
        f"{_ORACLE}: ORACLE Dice {decimals(means['ORACLE_dice'], 3)}, "
        f"ORACLE IoU {decimals(means['ORACLE_iou'], 3)}"
    ]


def _clicks(summary: dict[str, Any]) -> list[str]:
    if "dice_after_clicks" not in summary:
        return []
    curve = ", ".join(
        f"{number}: {decimals(dice, 3)}" for number, dice in enumerate(summary["dice_after_clicks"])
    )
    return [f"Mean Dice by number of clicks: {curve}", *_click_counts(summary["clicks"])]


def _click_counts(clicks: dict[str, Any]) -> list[str]:
    from DiffusionSegLib.evaluation.click_counts import IOU_TARGETS

    after = ", ".join(
        f"{number} {'click' if number == '1' else 'clicks'} {decimals(dice, 3)}"
        for number, dice in clicks["dice_after"].items()
    )
    lines = [f"Dice after {after} ({clicks['cases']} cases with an object)"]
    for name, iou in IOU_TARGETS.items():
        lines.append(
            f"NoC{round(100 * iou)}: {decimals(clicks[name], 2)} clicks until IoU {iou:.2f} "
            f"(at most {clicks['limit']}); never in {clicks[name + '_never']} of {clicks['cases']}"
        )
    if clicks["rules"]:
        lines.append("Rule with clicks: " + ", ".join(f'"{rule}"' for rule in clicks["rules"]))
    return lines


def _negatives(summary: dict[str, Any]) -> list[str]:
    if "negatives" not in summary:
        return []
    alarms = summary["negatives"]
    measured = f"{alarms['images'] - alarms['failed']}{_failed(alarms)}"
    return [
        f"Images without the object: {measured}; said FOUND {alarms['verdicts']['FOUND']} "
        f"(false alarms {decimals(100 * alarms['false_alarm_rate'], 1)} %), "
        f"UNCERTAIN {alarms['verdicts']['UNCERTAIN']}, "
        f"NOT_FOUND {alarms['verdicts']['NOT_FOUND']}"
    ]
