"""Everything that decides a training run of DiffuGTS, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.training.presets import choose_preset

__all__ = ["PRESETS", "GtsSettings", "choose_settings"]


@dataclass(frozen=True)
class GtsSettings:
    """seed: of everything. leave_out: type of tumor of which none is shown, "" for none. side: of
    prepared pictures' longer side, in pixels; canvas: of that on which regions are compared. cuts:
    multiplies the numbers of prepared pictures, see cut_plan. twins: pseudo-healthy pictures that
    are drawn; twin_steps: of denoising for each; grow: of masks before they are filled, as a share
    of the side.

    maps_steps, maps_batch, maps_rate: of the attention maps. choice_steps, choice_batch,
    choice_rate: of the rule that weighs regions; likely: weight of its binary cross-entropy.
    synthetic: weight of synthetic lesions beside real ones, and in the maps of healthy pictures;
    healthy: weight of those in the rule. residual_steps, residual_batch, residual_rate: of residual
    and fusion. marked_steps, marked_rate: of the rule for marked regions, in batches of
    choice_batch. weight_decay, clip: of AdamW's steps.

    anatomy_of_left_out: whether training pictures of the type that is left out may be the
    background of synthetic lesions, with their tumors out of the loss. false_alarms: share of
    healthy validation pictures in which something may be called found.
    """

    seed: int = 0
    leave_out: str = ""
    side: int = 160
    canvas: int = 96
    cuts: float = 1.0
    twins: int = 180
    twin_steps: int = 10
    grow: float = 0.03
    maps_steps: int = 600
    maps_batch: int = 6
    maps_rate: float = 2e-3
    choice_steps: int = 1200
    choice_batch: int = 16
    choice_rate: float = 5e-3
    synthetic: float = 0.5
    healthy: float = 1.0
    likely: float = 0.3
    marked_steps: int = 1200
    marked_rate: float = 5e-3
    residual_steps: int = 300
    residual_batch: int = 8
    residual_rate: float = 5e-3
    weight_decay: float = 1e-2
    clip: float = 1.0
    validate_every: int = 80
    anatomy_of_left_out: bool = True
    false_alarms: float = 0.1

    def __post_init__(self) -> None:
        if self.side % 32 or self.side < 64:
            raise InputError(
                f"The side must be a multiple of 32 pixels from 64 on, not {self.side}."
            )
        for name in ("maps_batch", "choice_batch", "residual_batch", "validate_every", "canvas"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1, not {getattr(self, name)}.")
        if not 0 <= self.false_alarms < 1:
            raise InputError(f"false_alarms must be from 0 to below 1, not {self.false_alarms}.")


# The second is for one modern GPU and has not been measured: preparing stays on the processor.
PRESETS: Mapping[str, GtsSettings] = {
    "cpu": GtsSettings(),
    "gpu": GtsSettings(
        cuts=2.0, twins=600, twin_steps=20, maps_steps=2000, maps_batch=16, residual_steps=600,
        validate_every=200,
    ),
}  # fmt: skip


def choose_settings(preset: str, overrides: Mapping[str, Any]) -> GtsSettings:
    """A preset with some values changed; raises InputError for what does not fit."""
    return choose_preset(PRESETS, preset, overrides)
