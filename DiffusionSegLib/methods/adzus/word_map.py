"""Where in an image the words of a prompt are, made whole by self-attention."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from DiffusionSegLib.backbones.latent_diffusion.interface import TextEmbedding
from DiffusionSegLib.diffusion.attention.capture import AttentionMap
from DiffusionSegLib.diffusion.attention.grids import Grid
from DiffusionSegLib.diffusion.attention.tokens import token_maps
from DiffusionSegLib.methods.adzus.vocabulary import content_words

__all__ = ["content_tokens", "joined_evidence", "walked", "word_map"]

_WEIGHTS = (0.3, 0.5, 0.1)  # coarsest grid first, the last for all finer ones (DiffSegmenter)
_STEPS = 4
_ALIKE = 1e-5  # spread of a map, of its highest value, below which it says nothing


def content_tokens(text: TextEmbedding) -> tuple[int, ...]:
    """Numbers of the tokens of words that carry meaning."""
    words = content_words(text.text)
    return tuple(
        number
        for number, span in enumerate(text.spans)
        if span and any(span[0] < end and start < span[1] for start, end in words)
    )


def word_map(maps: Sequence[AttentionMap], tokens: Sequence[int], grid: Grid) -> Tensor:
    """(places of grid,): share of the attention that the tokens get, 1 where it is as usual.

    maps: cross-attention. The mean over tokens, of each resolution divided by its mean over the
    image, so that no token or resolution counts by its own bias; resolutions weigh as in
    DiffSegmenter (arXiv:2309.02773).
    """
    ordered = sorted(maps, key=lambda one: one.grid[0] * one.grid[1])
    weights = [_WEIGHTS[min(number, len(_WEIGHTS) - 1)] for number in range(len(ordered))]
    total = torch.zeros(grid)
    for one, weight in zip(ordered, weights, strict=True):
        found = token_maps([one], tokens, [1.0], grid).cpu()
        usual = found.mean((1, 2), keepdim=True).clamp_min(1e-12)
        total += weight / sum(weights) * (found / usual).mean(0)
    return total.flatten()


def walked(values: Tensor, walk: Tensor, steps: int = _STEPS) -> Tensor:
    """(places,): the mean of where a few steps of the walk lead, as in iSeg (arXiv:2409.03209),
    which takes 5 to 10 with the maps of Stable Diffusion."""
    for _ in range(steps):
        values = walk @ values
    return values


def joined_evidence(looked_at: Tensor, difference: Tensor, walk: Tensor, grid: Grid) -> Tensor:
    """(places,): where the words change the answer, and where they are looked at, walked.

    looked_at: as word_map; difference: (rows, columns), see WordEffect. Both count in units of
    their standard deviation, what is looked at by as much as it agrees with the difference (their
    correlation after the walk), not at all when it contradicts: which of two sides a word is looked
    for on is meant in networks that learned from captions of every kind, and an accident in small
    ones. A choice of ours.
    """
    resized = F.interpolate(difference[None, None], size=grid, mode="bilinear", antialias=True)
    changed = walked(_standard(resized.flatten()), walk)
    looked = walked(_standard(looked_at), walk)
    agreement = float((_standard(changed) * _standard(looked)).mean())
    return changed + max(0.0, agreement) * looked


def _standard(values: Tensor) -> Tensor:
    """Mean 0, standard deviation 1; 0 everywhere when all are alike."""
    away = values - values.mean()
    spread = float(away.square().mean().sqrt())
    return away / spread if spread > _ALIKE * float(values.abs().max()) else torch.zeros_like(away)
