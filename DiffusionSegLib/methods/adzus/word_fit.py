"""What words change in how a network denoises: whether they fit an image, and where.

Told what is there, a diffusion model denoises better: "Your diffusion model is secretly a zero-shot
classifier" (Li et al., ICCV 2023, arXiv:2303.16203). And its answers to two texts differ where the
texts do: DiffEdit (Couairon et al., ICLR 2023, arXiv:2210.11427). Attention tells neither by
itself: any word is looked for somewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from DiffusionSegLib.backbones.latent_diffusion.interface import LatentDiffusion
from DiffusionSegLib.progress import Progress

__all__ = ["OTHER_WORDS", "WordEffect", "word_effect"]

# What no medical image shows: how much any words at all change.
OTHER_WORDS = ("a bowl of fruit", "a street with cars")
_NOISE_LEVELS = (0.8, 0.87, 0.93)  # shares of the timesteps; captions tell of coarse things
_SEED = 0
_LEAST_SPREAD = 0.02  # share of the error; of gains that no words would give by chance


@dataclass(frozen=True, eq=False)
class WordEffect:
    """gain: the share of the error with the empty text that the text removes, below 0 when it adds
    to it; others: (n,), the same of OTHER_WORDS. difference: (rows, columns) of the latent, the
    squared distance between the answers to the text and to OTHER_WORDS, 1 in the mean."""

    gain: float
    others: NDArray[np.float64]
    difference: Tensor

    @property
    def fit(self) -> float:
        """In [0, 1): 0 when the text helps no more than other words do, or than none.

        1 - exp(-g / s): g is by how much more of the error the text removes than the better of no
        text and the mean of OTHER_WORDS, s the root mean square of what those remove, at least 2 %.
        A choice of ours.
        """
        more = self.gain - max(0.0, float(self.others.mean()))
        spread = max(float(np.sqrt((self.others**2).mean())), _LEAST_SPREAD)
        return float(1.0 - np.exp(-max(0.0, more) / spread))


@torch.no_grad()
def word_effect(
    backbone: LatentDiffusion, picture: Tensor, text: str, progress: Progress
) -> WordEffect:
    """Mean over three noise levels, each with a noise and its negative, the same for all texts: 24
    passes of the network. What a text is made to see in a certain noise cancels in such a pair.

    picture: (1, channels, rows, columns) in [-1, 1]; small ones suffice.
    """
    texts = [backbone.embed_text(one) for one in ("", text, *OTHER_WORDS)]
    latent = backbone.encode(picture)
    rng = torch.Generator().manual_seed(_SEED)
    gains, differences = [], []
    for share in progress.track(_NOISE_LEVELS, "comparing words"):
        timestep = round(share * (backbone.timesteps - 1))
        drawn = torch.randn(latent.shape, generator=rng).to(latent)
        for noise in (drawn, -drawn):
            noisy = backbone.add_noise(latent, timestep, noise)
            answers = torch.cat([backbone.denoise(noisy, timestep, one).float() for one in texts])
            target = _target(backbone, latent, noise, timestep, answers[:1])
            gains.append(_gains(answers, target))
            differences.append(_difference(answers))
    gain = np.mean(gains, axis=0)
    return WordEffect(float(gain[0]), gain[1:], torch.stack(differences).mean(0).cpu())


def _gains(answers: Tensor, target: Tensor) -> NDArray[np.float64]:
    """(texts - 1,): the first answer is the empty text's."""
    errors = (answers - target).square().mean((1, 2, 3)).double().cpu().numpy()
    gains = 1.0 - errors[1:] / max(errors[0], 1e-12)
    # Half precision may overflow; an answer that is no number helps nothing.
    return np.where(np.isfinite(gains), gains, 0.0)


def _difference(answers: Tensor) -> Tensor:
    """(rows, columns): of the second answer and the mean of those behind it."""
    apart = (answers[1] - answers[2:].mean(0)).square().mean(0)
    apart = torch.nan_to_num(apart, nan=0.0, posinf=0.0)
    return apart / apart.mean().clamp_min(1e-20)


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
