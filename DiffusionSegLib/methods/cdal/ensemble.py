"""Draws samples of the clean mask in few steps; mean is the probability, spread the doubt.

The condition encoder runs once per window and samples are drawn one at a time: memory does not grow
with the number of samples, and drawing stops early when the outline no longer changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from DiffusionSegLib.diffusion.variance_preserving import VariancePreservingProcess
from DiffusionSegLib.methods.cdal.generator import Generator
from DiffusionSegLib.methods.cdal.masks import foreground_probability
from DiffusionSegLib.progress import Progress

PreviewCallback = Callable[[Tensor], None]


@dataclass(frozen=True)
class EnsembleSettings:
    """samples: at most; tolerance: see ``settled`` (0 draws them all); least: before stopping."""

    samples: int = 5
    tolerance: float = 0.0
    least: int = 3


@dataclass(frozen=True)
class EnsembleResult:
    """Moments over the samples of one window.

    mean, deviation: (labels, *spatial) in [0, 1]; volumes: foreground size of each sample in
    voxels; drawn: number of samples; stopped: fewer than wanted because the user had enough.
    """

    mean: Tensor
    deviation: Tensor
    volumes: tuple[float, ...]
    drawn: int
    stopped: bool = False


@dataclass(frozen=True)
class StartFrom:
    """A given mask instead of pure noise, for refinement.

    mask: (mask_channels, *spatial) in [-1, 1]; index: noise level 1..T to start from;
    keep: (1, *spatial) bool, voxels that every step puts back to ``mask``.
    """

    mask: Tensor
    index: int
    keep: Tensor


@torch.inference_mode()
def draw_ensemble(
    network: Generator,
    process: VariancePreservingProcess,
    image: Tensor,
    labels: int,
    settings: EnsembleSettings,
    rng: torch.Generator,
    start: StartFrom | None = None,
    progress: Progress | None = None,
    preview: PreviewCallback | None = None,
) -> EnsembleResult:
    """Sample one window's mask. image: (image_channels, *spatial) in [-1, 1]; rng: of the CPU.

    preview is given (labels, *spatial), the mean over the samples so far and the current estimate.
    Ends with the samples drawn so far, one at least, when ``progress`` says that it is enough.
    """
    progress = progress or Progress.silent()
    condition = network.encode_condition(image[None])
    shape = (1, network.config.mask_channels, *image.shape[1:])
    total = square = torch.zeros((labels, *image.shape[1:]), device=image.device)
    volumes: list[float] = []
    stopped = False
    for drawn in range(1, settings.samples + 1):
        before = total / max(drawn - 1, 1)
        for sample in _steps(network, process, condition, shape, rng, start):
            probability = foreground_probability(sample, labels)[0]
            progress.check()
            if preview is not None:
                preview((total + probability) / drawn)
        total, square = total + probability, square + probability.square()
        volumes.append(float((probability.sum(0) >= 0.5).sum()))
        progress.report(drawn / settings.samples)
        if drawn >= settings.least and settled(before, total / drawn, settings.tolerance):
            break
        if progress.enough:
            stopped = drawn < settings.samples
            break
    mean = total / drawn
    deviation = (square / drawn - mean.square()).clamp(min=0).sqrt()
    return EnsembleResult(mean, deviation, tuple(volumes), drawn, stopped)


def settled(before: Tensor, after: Tensor, tolerance: float) -> bool:
    """Whether the last sample moved the outline by at most ``tolerance`` of the object's size."""
    if tolerance <= 0:
        return False
    old, new = before.sum(0) >= 0.5, after.sum(0) >= 0.5
    return float((old ^ new).sum()) <= tolerance * float(new.sum())


def _steps(
    network: Generator,
    process: VariancePreservingProcess,
    condition: Tensor,
    shape: tuple[int, ...],
    rng: torch.Generator,
    start: StartFrom | None,
) -> Iterator[Tensor]:
    """Clean estimates of one pass from noise (or a noised given mask); the last is the sample."""

    def noise(size: tuple[int, ...]) -> Tensor:
        return torch.randn(size, generator=rng).to(condition.device)

    first = process.steps if start is None else start.index
    x = noise(shape)
    if start is not None:
        x = process.diffuse(start.mask[None], first, x)
    for t in reversed(range(first)):
        latent = noise((1, network.config.latent_size)).to(condition.dtype)
        timestep = torch.full((1,), t, device=condition.device)
        clean = network.denoise(x.to(condition.dtype), timestep, condition, latent).float()
        if start is not None:
            clean = torch.where(start.keep[None], start.mask[None], clean)
        yield clean
        if t > 0:
            x = process.posterior(clean, x, t, noise(shape)).sample
