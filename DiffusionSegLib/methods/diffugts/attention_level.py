"""One level's open-vocabulary attention: of every place, to which of the texts it belongs."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from DiffusionSegLib.methods.diffugts.dimensions import conv
from DiffusionSegLib.methods.diffugts.feature_adapter import FeatureAdapter

__all__ = ["AttentionLevel", "attention_scores"]


class AttentionLevel(nn.Module):
    """Adapter, text reducer and cross-attention of one level.

    The text reducer (W → W / 2 → width, layer norm) follows an unofficial implementation. Queries
    are W_q F', keys W_k of the reduced text. Queries know nothing of the text, so that a second
    text on the same image costs only keys and scores.
    """

    def __init__(
        self,
        channels: int,
        text_width: int,
        inner: int,
        width: int,
        reach: Sequence[int],
        dims: int,
    ) -> None:
        super().__init__()
        self.adapter = FeatureAdapter(channels, inner, reach, dims)
        self.query = conv(dims, channels, width)
        self.reduce = nn.Sequential(
            nn.Linear(text_width, text_width // 2),
            nn.GELU(),
            nn.Linear(text_width // 2, width),
            nn.LayerNorm(width),
        )
        self.key = nn.Linear(width, width, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Queries (B, width, *places) of features (B, channels, *places)."""
        queries: Tensor = self.query(self.adapter(features))
        return queries

    def keys(self, texts: Tensor) -> Tensor:
        """(B or 1, N, width) of sentence vectors (B or 1, N, text_width)."""
        keys: Tensor = self.key(self.reduce(texts))
        return keys


def attention_scores(queries: Tensor, keys: Tensor) -> Tensor:
    """QKᵀ / √d: (B, N, *places) of (B, d, *places) and (B or 1, N, d)."""
    batch, width = queries.shape[:2]
    found = torch.matmul(keys.expand(batch, -1, -1), queries.flatten(2)) / width**0.5
    return found.unflatten(2, queries.shape[2:])
