"""The card that a person reads, written from model.json so that the two never differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from DiffusionSegLib.training.card_parts import (
    command_lines,
    data_lines,
    heading_lines,
    limits_lines,
)

__all__ = ["card_text"]


def card_text(entry: Mapping[str, Any]) -> str:
    """Markdown: what the model is for, data, licences, training, measures, limits."""
    training, licence = entry["training"], entry["licence"]
    splits = ", ".join(f"{len(cases)} {part}" for part, cases in entry["splits"].items())
    steps = ", ".join(f"{name} {count}" for name, count in training["steps"].items())
    size = entry["files"][0]["size"] / 1e6
    lines = [
        *heading_lines(entry),
        f"- Licence of these weights: [{licence['name']}]({licence['url']}), as the data ask.",
        f"- Networks: {training['parameters']:,} trained parameters ({size:.2f} MB, fp16 "
        "safetensors) beside the frozen backbone/compact and all-MiniLM-L6-v2.",
        f"- Training: {training['pictures']} packed pictures; steps: {steps}; seed "
        f"{training['seed']}, {training['seconds']} s for the last start of the stages on "
        f"{training['device']} ({training['threads']} thread), {training['date']}.",
        f"- Split by patient: {splits} cases, named FOLDER/CASE in model.json. The test part was "
        "not in the training file; the validation part chose the limits below.",
        *_left_out(training["left_out"]),
        *command_lines(entry),
        *data_lines(entry),
        "## Measures",
        "",
        *_measures(entry["metrics"]),
        "",
        *limits_lines(entry),
    ]
    return "\n".join(lines)


def _left_out(name: str) -> list[str]:
    if not name:
        return []
    return [
        f"- Tumors of type {name} were left out: none was shown as such. Training pictures of that "
        "type were the background of synthetic lesions, with the real tumor out of the loss, "
        "unless anatomy_of_left_out=false stands in the command."
    ]


def _measures(metrics: list[Mapping[str, Any]]) -> Iterator[str]:
    yield "Coarse mask from a text, random cuts (Dice; best region: the most a choice can reach):"
    yield ""
    yield "| part | kind | pictures | mean Dice | median | best region |"
    yield "|---|---|---|---|---|---|"
    for row in metrics:
        if "median_dice" in row:
            yield (
                f"| {row['split']} | {row['source']} | {row['pictures']} | {row['dice']} | "
                f"{row['median_dice']} | {row['best_region_dice']} |"
            )
    yield ""
    yield "Region chosen by a simulated stroke or click (Dice):"
    yield ""
    yield "| part | kind | pictures | mean Dice |"
    yield "|---|---|---|---|"
    for row in metrics:
        if "marked_dice" in row:
            yield f"| {row['split']} | {row['source']} | {row['pictures']} | {row['marked_dice']} |"
    yield ""
    for row in metrics:
        if "presence" in row:
            yield from _presence(row["presence"], row["false_alarms"])
        if "area_under_curve" in row:
            yield f"- Area under the curve, score of {row['score']}: {row['area_under_curve']}."


def _presence(found: Mapping[str, float], asked: float) -> Iterator[str]:
    yield (
        f"- Verdict: the score counts as found from {found['found']} on (asked for: in at most "
        f"{asked:.0%} of healthy pictures), and as absent below {found['absent']} (asked for: "
        f"in at most {asked:.0%} of pictures with a tumor, if that is not above the first)."
    )
    for role, name in (("healthy", "healthy pictures"), ("real", "pictures with a tumor")):
        if f"{role}_absent" in found:
            yield (
                f"- Of {found[f'{role}_pictures']:.0f} {name} of the validation part "
                f"{found[f'{role}_absent']:.0%} are not called absent, "
                f"{found[f'{role}_found']:.0%} are called found."
            )
