"""The card that a person reads, written from model.json so that the two never differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from DiffusionSegLib.training.card_parts import command_lines, limits_lines


def card_text(entry: Mapping[str, Any]) -> str:
    """Markdown: what the model is for, data, licence, training, metrics, limits."""
    training, licence = entry["training"], entry["licence"]
    inputs = ", ".join(
        i["name"] + ("" if i["required"] else " (optional)") for i in entry["inputs"]
    )
    labels = ", ".join(f"{label['value']} {label['name']}" for label in entry["labels"])
    splits = ", ".join(f"{len(v)} {k}" for k, v in entry["splits"].items())
    lines = [
        f"# {entry['title']}",
        "",
        f"{entry['summary']} Generative diffusion (cDAL), not diffusion MRI.",
        "**Not for clinical use.**",
        "",
        f"- Input: {inputs}. Labels: {labels}.",
        f"- Data: {training['data']}. {entry['attribution']}. Cite: {entry['citation']}.",
        f"- Licence of these weights: [{licence['name']}]({licence['url']}).",
        f"- Split by patient: {splits} cases (names in model.json); the test part chose nothing.",
        f"- Network: {training['parameters']:,} parameters, stored as fp16 safetensors.",
        f"- Training: mode {training['mode']}, {training['steps']} steps of batch "
        f"{training['batch']}, seed {training['seed']}, {training['seconds']} processor seconds "
        f"on {training['device']} ({training['threads']} thread), {training['date']}.",
        *command_lines(entry),
        "## Metrics",
        "",
        *[_metric(metric) for metric in entry["metrics"]],
        f"- Verdict: {training['validation_false_alarms']} of {training['validation_negatives']} "
        "validation images without the object are not recognised as such.",
        "",
        *limits_lines(entry),
    ]
    return "\n".join(lines)


def _metric(metric: Mapping[str, Any]) -> str:
    dice = " / ".join(f"{value:.3f}" for value in metric["dice"])
    extra = {k: v for k, v in metric.items() if k not in ("split", "dice")}
    detail = ", ".join(f"{k} {v}" for k, v in extra.items())
    return f"- Dice {dice} on the {metric['split']} part ({detail})."
