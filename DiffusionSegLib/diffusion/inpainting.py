"""Fills a masked part of a latent with what a frozen denoising network finds likely there, after
RePaint (Lugmayr et al. 2022, algorithm 1), for any NoiseProcess."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor

from DiffusionSegLib.diffusion.noise_process import NoiseProcess, Split, add_noise
from DiffusionSegLib.progress import Progress

__all__ = ["InpaintingConfig", "Predict", "Turn", "inpaint", "noise_again", "reverse_step", "turns"]

# The network's output for a noisy batch at a level in (0, 1]; reports within the progress given.
Predict = Callable[[Tensor, float, Progress], Tensor]
Noise = Callable[[], Tensor]


@dataclass(frozen=True)
class InpaintingConfig:
    """start: the level in (0, 1] that the original is noised to; below 1 its coarse look stays.

    steps: from there to clean, as the process spaces them. jumps: how often each step but the last
    is taken; between two takes noise is added again, so that both parts get to fit (RePaint's
    resampling). eta: 0 adds no noise on the way (DDIM, Song et al. 2021; Euler steps for rectified
    flow), 1 draws from the posterior (DDPM).
    """

    start: float = 0.6
    steps: int = 20
    jumps: int = 1
    eta: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 < self.start <= 1.0:
            raise ValueError(f"start must lie above 0 and at most at 1, got {self.start}")
        if self.steps < 1 or self.jumps < 1:
            raise ValueError(f"steps and jumps must be 1 or more, got {self.steps}, {self.jumps}")
        if not 0.0 <= self.eta <= 1.0:
            raise ValueError(f"eta must lie between 0 and 1, got {self.eta}")

    @property
    def passes(self) -> int:
        """Of the network, all in all: the last step, which ends clean, is taken once."""
        return (self.steps - 1) * self.jumps + 1


@dataclass(frozen=True)
class Turn:
    """One pass of the network: from ``level`` to ``then``, and whether back again afterwards."""

    level: float
    then: float
    again: bool


def turns(
    config: InpaintingConfig, process: NoiseProcess, places: Sequence[int] = ()
) -> list[Turn]:
    """All passes in order; places: sides of the latent that the network is given at once."""
    found = []
    for level, then in pairwise(process.levels(config.start, config.steps, places)):
        count = config.jumps if then > 0 else 1
        found += [Turn(level, then, take + 1 < count) for take in range(count)]
    return found


def inpaint(
    known: Tensor,
    mask: Tensor,
    process: NoiseProcess,
    predict: Predict,
    noise: Noise,
    config: InpaintingConfig | None = None,
    progress: Progress | None = None,
    preview: Callable[[Tensor], object] | None = None,
    places: Sequence[int] = (),
) -> Tensor:
    """(B, C, *places), float32: ``known`` where ``mask`` is 0, bit for bit, and new where it is 1.

    known: (1 or B, C, *places). mask: (1 or B, 1, *places) in [0, 1]; between 0 and 1 both are
    mixed at every step. noise: draws (B, C, *places) of N(0, 1); it decides B, the results drawn
    beside each other. predict: see Predict; where the mask is 0 its output does not matter.
    preview: makes what a listener shows of the clean estimate (B, C, *places); called only when
    the listener calls the report's preview. places: sides of the latent that the network is given
    at once, () when it does not matter. Raises Cancelled.
    """
    config, progress = config or InpaintingConfig(), progress or Progress.silent()
    path = turns(config, process, places)
    progress.report(0.0)
    noisy = add_noise(process, known, path[0].level, noise())
    for number, turn in enumerate(path):
        part = progress.part(number / len(path), (number + 1) / len(path))
        split = process.split(noisy, predict(noisy, turn.level, part), turn.level)
        filled = reverse_step(process, split, turn, config.eta, noise)
        noisy = _merge(mask, filled, _original(process, known, turn.then, noise))
        if turn.again:
            noisy = noise_again(process, noisy, turn, noise())
        shown = None if preview is None else partial(_show, preview, mask, split.clean, known)
        part.report(1.0, preview=shown)
    return noisy


def reverse_step(
    process: NoiseProcess, split: Split, turn: Turn, eta: float, noise: Noise
) -> Tensor:
    """z at ``turn.then``: a' z + √(b'² − η² σ²) ε + η σ n, with n fresh noise.

    σ² = b'² / b² (b² − (a / a')² b'²) is the posterior's variance (DDIM, equation 16, written for
    any signal a and noise b; a', b' at ``then``). No noise is drawn when η σ is 0.
    """
    rest = process.noise(turn.then)
    drawn = 0.0
    if eta > 0.0 and rest > 0.0:
        drawn = eta * rest / process.noise(turn.level) * _step_noise(process, turn)
    kept = max(0.0, rest**2 - drawn**2) ** 0.5
    found = process.signal(turn.then) * split.clean + kept * split.noise
    return found + drawn * noise() if drawn > 0.0 else found


def noise_again(process: NoiseProcess, latent: Tensor, turn: Turn, noise: Tensor) -> Tensor:
    """From ``turn.then`` back up to ``turn.level``: (a / a') z + √(b² − (a / a')² b'²) n."""
    share = process.signal(turn.level) / process.signal(turn.then)
    return share * latent + _step_noise(process, turn) * noise


def _step_noise(process: NoiseProcess, turn: Turn) -> float:
    share = process.signal(turn.level) / process.signal(turn.then)
    variance = process.noise(turn.level) ** 2 - (share * process.noise(turn.then)) ** 2
    return max(0.0, variance) ** 0.5


def _original(process: NoiseProcess, known: Tensor, level: float, noise: Noise) -> Tensor:
    return known if level == 0.0 else add_noise(process, known, level, noise())


def _merge(mask: Tensor, filled: Tensor, original: Tensor) -> Tensor:
    """Chosen where the mask is 0, not multiplied: the network's output there may be anything."""
    mixed = mask * filled + (1 - mask) * original
    return torch.where(mask > 0, mixed, original)


def _show(
    preview: Callable[[Tensor], object], mask: Tensor, clean: Tensor, known: Tensor
) -> object:
    return preview(_merge(mask, clean, known))
