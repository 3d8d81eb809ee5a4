"""The forward process of a pipeline: how much of the latent is left at a timestep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from DiffusionSegLib.errors import ModelError

__all__ = ["ForwardProcess", "full_schedule"]

# Stable Diffusion's; a pipeline folder without a scheduler is taken to be of its family.
_DEFAULTS: Mapping[str, Any] = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
}


def full_schedule(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What a scheduler's settings say of the noise; where they are silent, Stable Diffusion's."""
    return {name: settings.get(name, value) for name, value in _DEFAULTS.items()}


class ForwardProcess:
    """signal: share √ᾱ_t of the clean latent at each timestep, float64."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """settings: of a diffusers scheduler; raises ModelError for schedules not known here."""
        told = full_schedule(settings)
        count, start, end = told["num_train_timesteps"], told["beta_start"], told["beta_end"]
        if told["beta_schedule"] == "scaled_linear":
            beta = torch.linspace(start**0.5, end**0.5, count, dtype=torch.float64) ** 2
        elif told["beta_schedule"] == "linear":
            beta = torch.linspace(start, end, count, dtype=torch.float64)
        else:
            raise ModelError(
                f"The noise schedule {told['beta_schedule']!r} is not known; known are "
                "scaled_linear and linear."
            )
        self.signal = torch.cumprod(1 - beta, 0).sqrt()

    @property
    def timesteps(self) -> int:
        """Number of timesteps."""
        return len(self.signal)

    def add_noise(self, latent: Tensor, timestep: int, noise: Tensor) -> Tensor:
        """√ᾱ_t z + √(1 − ᾱ_t) ε."""
        signal = float(self.signal[timestep])
        return signal * latent + (1 - signal**2) ** 0.5 * noise
