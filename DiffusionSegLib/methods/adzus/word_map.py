"""Where in an image the words of a prompt are looked at, made whole by self-attention."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from DiffusionSegLib.backbones.latent_diffusion.interface import TextEmbedding
from DiffusionSegLib.diffusion.attention.capture import AttentionMap
from DiffusionSegLib.diffusion.attention.grids import Grid
from DiffusionSegLib.diffusion.attention.tokens import token_maps
from DiffusionSegLib.methods.adzus.vocabulary import content_words

__all__ = ["content_tokens", "walked", "word_map"]

_WEIGHTS = (0.3, 0.5, 0.1)  # coarsest grid first, the last for all finer ones (DiffSegmenter)
_STEPS = 2


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
