"""The commands that repeat a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from DiffusionSegLib.training.backbone.settings import PRESETS

__all__ = ["training_command"]


def training_command(settings: Mapping[str, Any]) -> str:
    """Two lines: packing and training; of the settings, those that no preset has are written."""
    changed = {
        name: {key: value for key, value in settings.items() if asdict(preset)[key] != value}
        for name, preset in PRESETS.items()
    }
    nearest = min(changed, key=lambda name: len(changed[name]))
    given = "".join(f" --set {key}={_text(value)}" for key, value in changed[nearest].items())
    return (
        "diffusionseg train backbone --data DATA --packed backbone.safetensors --pack-only\n"
        "diffusionseg train backbone --packed backbone.safetensors --output runs/backbone "
        f"--preset {nearest}{given}"
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
