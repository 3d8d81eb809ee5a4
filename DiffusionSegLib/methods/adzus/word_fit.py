"""Whether words fit an image at all: a diffusion model denoises better when told what is there.

After "Your diffusion model is secretly a zero-shot classifier" (Li et al., ICCV 2023,
arXiv:2303.16203), which compares the errors that texts leave. Attention cannot tell this: any word
is looked for where the image has something.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from DiffusionSegLib.backbones.latent_diffusion.interface import LatentDiffusion, TextEmbedding
from DiffusionSegLib.progress import Progress

__all__ = ["OTHER_WORDS", "denoising_gains", "word_fit"]

# What no medical image shows: how much any words at all change.
OTHER_WORDS = ("a bowl of fruit", "a street with cars", "a page of printed text")
_NOISE_LEVELS = (0.35, 0.5, 0.7)  # shares of the timesteps
_SEED = 0
_LEAST_SPREAD = 0.02  # share of the error; of gains that no words would give by chance


def word_fit(backbone: LatentDiffusion, picture: Tensor, text: str, progress: Progress) -> float:
    """In [0, 1): 0 when the text helps no more than other words do, or than none.

    picture: (1, channels, rows, columns) in [-1, 1], small ones suffice. 1 - exp(-g / s): g is by
    how much more of the error the text removes than the best of no text and the mean of
    OTHER_WORDS, s the root mean square of what those remove, at least 2 %. A choice of ours.
    """
    gains = denoising_gains(backbone, picture, (text, *OTHER_WORDS), progress)
    others = gains[1:]
    more = gains[0] - max(0.0, float(others.mean()))
    spread = max(float(np.sqrt((others**2).mean())), _LEAST_SPREAD)
    return float(1.0 - np.exp(-max(0.0, more) / spread))


@torch.no_grad()
def denoising_gains(
    backbone: LatentDiffusion, picture: Tensor, texts: Sequence[str], progress: Progress
) -> NDArray[np.float64]:
    """(texts,): the share of the error with the empty text that each text removes, below 0 when it
    adds to it; mean over three noise levels, with the same noise for all."""
    read = [backbone.embed_text(text) for text in ("", *texts)]
    latent = backbone.encode(picture)
    rng = torch.Generator().manual_seed(_SEED)
    found = []
    for share in progress.track(_NOISE_LEVELS, "comparing words"):
        noise = torch.randn(latent.shape, generator=rng).to(latent)
        errors = _errors(backbone, latent, noise, round(share * (backbone.timesteps - 1)), read)
        gains = 1.0 - errors[1:] / max(errors[0], 1e-12)
        # Half precision may overflow; an answer that is no number helps nothing.
        found.append(np.where(np.isfinite(gains), gains, 0.0))
    return np.asarray(np.mean(found, axis=0), dtype=np.float64)


def _errors(
    backbone: LatentDiffusion,
    latent: Tensor,
    noise: Tensor,
    timestep: int,
    texts: Sequence[TextEmbedding],
) -> NDArray[np.float64]:
    """(texts,): mean squared error of what the network predicts; the first text is empty."""
    noisy = backbone.add_noise(latent, timestep, noise)
    answers = [backbone.denoise(noisy, timestep, text).float() for text in texts]
    target = _target(backbone, latent, noise, timestep, answers[0])
    return np.array([float((one - target).square().mean()) for one in answers])


def _target(
    backbone: LatentDiffusion, latent: Tensor, noise: Tensor, timestep: int, answer: Tensor
) -> Tensor:
    """The noise or the velocity, whichever the network's answer is nearer to: pipelines differ in
    what they predict, and the interface does not say it."""
    one, none = torch.ones_like(latent), torch.zeros_like(latent)
    signal = backbone.add_noise(one, timestep, none).float()
    spread = backbone.add_noise(none, timestep, one).float()
    velocity = signal * noise.float() - spread * latent.float()
    targets = (noise.float(), velocity)
    return min(targets, key=lambda target: float((answer - target).square().mean()))
