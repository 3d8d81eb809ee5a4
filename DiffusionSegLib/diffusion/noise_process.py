"""How noise enters a latent, and what a network's output says of both: one face for the discrete
process of DDPM (Ho et al. 2020) and for rectified flow (Liu et al. 2023).

Levels are numbers in [0, 1]: 0 is clean, 1 is (almost) pure noise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from DiffusionSegLib.errors import ModelError

__all__ = ["DiscreteProcess", "NoiseProcess", "RectifiedFlow", "Split", "add_noise", "levels"]

_BETAS = ("linear", "scaled_linear")
_PREDICTIONS = ("epsilon", "velocity", "sample")


@dataclass(frozen=True)
class Split:
    """clean: the network's estimate of the latent without noise; noise: what it takes for noise."""

    clean: Tensor
    noise: Tensor


class NoiseProcess(Protocol):
    """z_s = signal(s) z + noise(s) ε."""

    def signal(self, level: float) -> float:
        """Share of the clean latent."""

    def noise(self, level: float) -> float:
        """Share of the noise."""

    def time(self, level: float) -> float:
        """The level as the network is told it."""

    def split(self, noisy: Tensor, output: Tensor, level: float) -> Split:
        """What the network's output at that level says; all shaped as ``noisy``."""

    def levels(self, start: float, steps: int, places: Sequence[int] = ()) -> list[float]:
        """The ``steps`` + 1 levels that are visited from ``start`` in (0, 1] down to 0.

        places: sides of the latent that the network is given at once.
        """


def add_noise(process: NoiseProcess, clean: Tensor, level: float, noise: Tensor) -> Tensor:
    """z_s of a clean latent; noise: ε, shaped as it or broadcasting to it."""
    return process.signal(level) * clean + process.noise(level) * noise


def levels(start: float, steps: int) -> list[float]:
    """``steps`` + 1 equally spaced levels from ``start`` in (0, 1] down to 0."""
    return [start * ((steps - number) / steps) for number in range(steps + 1)]


class DiscreteProcess:
    """A trained table of timesteps 0 to T − 1; level 0 is the clean latent itself.

    prediction: "epsilon" (the noise), "velocity" (√ᾱ ε − √(1 − ᾱ) z, Salimans & Ho 2022) or
    "sample" (z). Level s > 0 is timestep ⌈s T⌉ − 1, so that equal steps in s are DDIM's.
    """

    def __init__(self, schedule: Mapping[str, Any], prediction: str) -> None:
        """schedule: num_train_timesteps, beta_start, beta_end, beta_schedule, as diffusers names
        them. Raises ModelError for schedules and predictions not known here."""
        if prediction not in _PREDICTIONS:
            raise ModelError(
                f"The prediction {prediction!r} is not known; known are {', '.join(_PREDICTIONS)}."
            )
        self.prediction = prediction
        self._signal = _signal(schedule)

    @property
    def timesteps(self) -> int:
        """T."""
        return len(self._signal)

    def timestep(self, level: float) -> int:
        """The row of the table; raises ValueError for a level outside (0, 1]."""
        if not 0.0 < level <= 1.0:
            raise ValueError(f"a noise level lies in (0, 1], not {level}")
        # A level that was meant to hit a timestep may miss it by the last bit.
        return max(0, math.ceil(level * self.timesteps - 1e-9) - 1)

    def signal(self, level: float) -> float:
        """√ᾱ_t."""
        return 1.0 if level == 0.0 else float(self._signal[self.timestep(level)])

    def noise(self, level: float) -> float:
        """√(1 − ᾱ_t)."""
        return max(0.0, 1 - self.signal(level) ** 2) ** 0.5

    def time(self, level: float) -> float:
        """The timestep."""
        return float(self.timestep(level))

    def split(self, noisy: Tensor, output: Tensor, level: float) -> Split:
        """By the definition of what is predicted."""
        signal, rest = self.signal(level), self.noise(level)
        if self.prediction == "velocity":
            return Split(signal * noisy - rest * output, rest * noisy + signal * output)
        if self.prediction == "epsilon":
            return Split((noisy - rest * output) / signal, output)
        return Split(output, (noisy - signal * output) / rest)

    def levels(self, start: float, steps: int, places: Sequence[int] = ()) -> list[float]:
        """Equally spaced, as DDIM's timesteps are."""
        return levels(start, steps)


class RectifiedFlow:
    """Straight paths z_s = (1 − s) z + s ε; the network is told s T and predicts v = z − ε.

    reference: sides of the latent at which the levels are equally spaced; larger latents, of which
    noise hides less, are given more of the noisy levels (Esser et al. 2024, section 5.3.2, as
    MAISI's scheduler does it in training and sampling). None: equally spaced for all.
    """

    def __init__(self, timesteps: int = 1000, reference: Sequence[int] | None = None) -> None:
        self.timesteps = timesteps
        self.reference = None if reference is None else tuple(reference)

    def signal(self, level: float) -> float:
        """1 − s."""
        return 1.0 - level

    def noise(self, level: float) -> float:
        """s."""
        return level

    def time(self, level: float) -> float:
        """s T."""
        return level * self.timesteps

    def split(self, noisy: Tensor, output: Tensor, level: float) -> Split:
        """z = z_s + s v and ε = z_s − (1 − s) v."""
        return Split(noisy + level * output, noisy - (1.0 - level) * output)

    def levels(self, start: float, steps: int, places: Sequence[int] = ()) -> list[float]:
        """r u / (1 + (r − 1) u) of equally spaced u, with r the ratio of the latents' mean sides;
        the spacing begins where that is ``start``."""
        if self.reference is None or not places:
            return levels(start, steps)
        ratio = _mean_side(places) / _mean_side(self.reference)
        begin = start / (ratio - (ratio - 1.0) * start)
        even = levels(begin, steps)
        # Rounding must not lift the first one above what was asked for.
        return [min(start, ratio * one / (1.0 + (ratio - 1.0) * one)) for one in even]


def _mean_side(places: Sequence[int]) -> float:
    return float(math.prod(places) ** (1.0 / len(places)))


def _signal(schedule: Mapping[str, Any]) -> Tensor:
    try:
        count = int(schedule["num_train_timesteps"])
        start, end = float(schedule["beta_start"]), float(schedule["beta_end"])
        kind = schedule["beta_schedule"]
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"The noise schedule {dict(schedule)} is not usable: {error}.") from error
    # MAISI's configuration calls scaled_linear "scaled_linear_beta".
    kind = str(kind).removesuffix("_beta")
    if kind not in _BETAS:
        raise ModelError(f"The noise schedule {kind!r} is not known; known are {_BETAS}.")
    if kind == "scaled_linear":
        beta = torch.linspace(start**0.5, end**0.5, count, dtype=torch.float64) ** 2
    else:
        beta = torch.linspace(start, end, count, dtype=torch.float64)
    return torch.cumprod(1 - beta, 0).sqrt()
