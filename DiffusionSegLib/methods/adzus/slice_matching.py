"""Finds an object of one slice again in another: by features of the diffusion model, and attention.

Features of a diffusion model correspond between images without any training (DIFT, Tang et al.,
arXiv:2306.03881). Labels spread as DIFT's section 4.4 spreads them through videos: each place
takes the mean of the places most like it in slices that are known, within a window. Two things are
ours: one step of the new slice's own attention makes what was matched hang together, and matching
there and back tells whether the object is still there at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from DiffusionSegLib.diffusion.attention.grids import Grid
from DiffusionSegLib.methods.adzus.plane_attention import PlaneAttention
from DiffusionSegLib.methods.adzus.slice_memory import SliceMemory

__all__ = ["SliceMatch", "match_slice"]

_NEAREST = 15  # DIFT, appendix
_TEMPERATURE = 0.1  # DIFT, appendix
_WALKED = 0.3  # share of the map that one step of attention moves


@dataclass(frozen=True, eq=False)
class SliceMatch:
    """share: (places,) in [0, 1], how much each place of the new slice is the object. score: the
    share of the object that is found again and leads back to the object, in [0, 1]."""

    share: Tensor
    score: float


def match_slice(
    memories: Sequence[SliceMemory], attention: PlaneAttention, window: float
) -> SliceMatch:
    """memories: of known slices with the same grid, the nearest one last; window: how many places
    the object may have moved."""
    near = _within(attention.grid, window)
    share = _spread(memories, attention.features, near)
    share = (1 - _WALKED) * share + _WALKED * (attention.walk @ share)
    return SliceMatch(share.clamp(0.0, 1.0), _found_again(memories[-1], attention, near))


def _spread(memories: Sequence[SliceMemory], features: Tensor, near: Tensor) -> Tensor:
    alike = torch.cat(
        [(features @ one.features.T).masked_fill(~near, -torch.inf) for one in memories], dim=1
    )
    shares = torch.cat([one.share for one in memories])
    best, places = alike.topk(min(_NEAREST, alike.shape[1]), dim=1)
    weights = torch.softmax(best / _TEMPERATURE, dim=1)
    return (weights * shares[places]).sum(1)


def _found_again(memory: SliceMemory, attention: PlaneAttention, near: Tensor) -> float:
    """There and back: each place's best match in the new slice, and that one's best match."""
    alike = (memory.features @ attention.features.T).masked_fill(~near, -torch.inf)
    there, back = alike.argmax(1), alike.argmax(0)
    total = float(memory.share.sum())
    return float((memory.share * memory.share[back[there]]).sum()) / max(total, 1e-6)


def _within(grid: Grid, window: float) -> Tensor:
    """(places, places): whether two places of a grid are at most so far apart."""
    rows, columns = torch.meshgrid(torch.arange(grid[0]), torch.arange(grid[1]), indexing="ij")
    places = torch.stack([rows.flatten(), columns.flatten()], dim=1).float()
    return torch.cdist(places, places) <= max(window, 1.0)
