"""Everything that decides a training run of the backbone, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.training.presets import choose_preset

__all__ = ["PRESETS", "TrainingSettings", "choose_settings"]


@dataclass(frozen=True)
class TrainingSettings:
    """Both stages. Numbers with autoencoder_ belong to the first, plain ones to the second.

    steps, batch, rate: of AdamW. side: of the square crops, in pixels. large_side, large_batch:
    of the last ``large_share`` of the steps, for which the network sees more at once. warmup:
    steps in which the rate rises; decay: last share of the steps, in which it falls to nothing;
    between them it is flat, so that a run may be made longer or shorter while it goes on.
    ema: of the averaged weights that are kept. empty_text: share of samples whose caption is taken
    away, for pictures without words. divergence: weight of the latent's KL. edges: weight of the
    difference of neighbors beside that of pixels. bf16: None where the device is faster with it.
    """

    seed: int = 0
    autoencoder_steps: int = 1000
    autoencoder_batch: int = 8
    autoencoder_rate: float = 1e-3
    autoencoder_side: int = 128
    divergence: float = 1e-4
    edges: float = 0.5
    steps: int = 2500
    batch: int = 16
    rate: float = 5e-4
    side: int = 128
    large_side: int = 256
    large_batch: int = 4
    large_share: float = 0.4
    warmup: int = 100
    decay: float = 0.3
    clip: float = 1.0
    weight_decay: float = 1e-4
    ema: float = 0.998
    empty_text: float = 0.12
    validate_every: int = 200
    bf16: bool | None = None

    def __post_init__(self) -> None:
        for name in ("autoencoder_side", "side", "large_side"):
            if getattr(self, name) % 32 or getattr(self, name) < 32:
                raise InputError(
                    f"The crop's {name} must be a multiple of 32 pixels, not {getattr(self, name)}."
                )
        for name in ("autoencoder_batch", "batch", "large_batch", "validate_every"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1, not {getattr(self, name)}.")


# The second is for one modern GPU. Its numbers are an estimate for 20 minutes, in which cutting
# crops on one processor core (1 to 2 ms each, measured) takes most of the time.
PRESETS: Mapping[str, TrainingSettings] = {
    "cpu": TrainingSettings(),
    "gpu": TrainingSettings(
        autoencoder_steps=3000, autoencoder_batch=32, autoencoder_side=192, steps=8000, batch=64,
        large_batch=32, ema=0.9995, validate_every=500,
    ),
}  # fmt: skip


def choose_settings(preset: str, overrides: Mapping[str, Any]) -> TrainingSettings:
    """A preset with some values changed; raises InputError for what does not fit."""
    return choose_preset(PRESETS, preset, overrides)
