"""The commands that repeat a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from DiffusionSegLib.training.backbone.settings import PRESETS
from DiffusionSegLib.training.presets import given_settings

__all__ = ["training_command"]


def training_command(settings: Mapping[str, Any]) -> str:
    """Two lines: packing and training; of the settings, those that no preset has are written."""
    return (
        "diffusionseg train backbone --data DATA --packed backbone.safetensors --pack-only\n"
        "diffusionseg train backbone --packed backbone.safetensors --output runs/backbone "
        f"{given_settings(settings, PRESETS)}"
    )
