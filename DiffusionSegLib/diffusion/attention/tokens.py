"""Where in the image each token of the text is looked at: maps from cross-attention."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from DiffusionSegLib.diffusion.attention.capture import AttentionMap
from DiffusionSegLib.diffusion.attention.grids import Grid

__all__ = ["token_maps"]


def token_maps(
    maps: Sequence[AttentionMap],
    tokens: Sequence[int],
    weights: Sequence[float],
    grid: Grid | None = None,
) -> Tensor:
    """(tokens, rows, columns), float32: the share of its attention that a place gives each token.

    maps: of kind "cross"; tokens: numbers of tokens of the text that the pass was made with;
    weights: one per map, divided by their sum; grid: of the result, by default the finest map's.
    Maps are enlarged bilinearly and averaged as they are; nothing is normalized, so that words
    nowhere in the image stay faint. Raises ValueError.
    """
    if not maps or any(one.kind != "cross" for one in maps):
        raise ValueError("token maps take at least one map, of cross-attention only")
    total = float(sum(weights))
    if len(weights) != len(maps) or total <= 0 or min(weights) < 0:
        raise ValueError(f"{len(maps)} maps need as many weights, not negative, not {weights}")
    count = maps[0].weights.shape[1]
    if not tokens or not all(0 <= token < count for token in tokens):
        raise ValueError(f"tokens are numbers from 0 to {count - 1}, not {list(tokens)}")
    size = grid or max((one.grid for one in maps), key=lambda one: one[0] * one[1])
    result = torch.zeros(len(tokens), *size, device=maps[0].weights.device)
    for one, weight in zip(maps, weights, strict=True):
        chosen = one.weights[:, list(tokens)].T.reshape(1, len(tokens), *one.grid)
        enlarged = F.interpolate(chosen, size=size, mode="bilinear", align_corners=False)
        result += enlarged[0] * (weight / total)
    return result
