"""The adapter of one level: F' = α T(F) + (1 − α) F, with T two linear layers on the channels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from DiffusionSegLib.methods.diffugts.dimensions import conv, neighborhood_mean

__all__ = ["FeatureAdapter"]

_RATIO = 0.5  # α at the start; the paper calls it a constant and does not state it


class FeatureAdapter(nn.Module):
    """(B, channels, *places) in and out.

    T also reads the means of the features over neighborhoods of ``reach`` places (our choice: the
    places of a small encoder see little of the image around them, and means cost nothing to
    train). α is learned, one number for the level (our choice). Features are normalized first,
    over channels and places, so that levels of different networks are alike.
    """

    def __init__(self, channels: int, inner: int, reach: Sequence[int], dims: int) -> None:
        super().__init__()
        self.reach = tuple(reach)
        self.norm = nn.GroupNorm(1, channels)
        self.first = conv(dims, channels * (1 + len(self.reach)), inner)
        self.last = conv(dims, inner, channels)
        self.ratio = nn.Parameter(torch.tensor(_RATIO))

    def forward(self, features: Tensor) -> Tensor:
        """F'."""
        plain = self.norm(features)
        near = [neighborhood_mean(plain, reach) for reach in self.reach]
        changed = self.last(F.gelu(self.first(torch.cat([plain, *near], dim=1))))
        return self.ratio * changed + (1 - self.ratio) * plain
