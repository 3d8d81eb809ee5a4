"""Single-head self-attention over all positions of a feature map."""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn import functional as F

from DiffusionSegLib.methods.cdal.fir import dense
from DiffusionSegLib.methods.cdal.groups import group_count


class AttentionBlock(nn.Module):
    """(x + proj(softmax(q kᵀ / √C) v)) / √2 on group-normalised features."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(group_count(channels), channels, eps=1e-6)
        self.query, self.key, self.value = (dense(channels, channels) for _ in range(3))
        self.project = dense(channels, channels, zero=True)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.norm(x).flatten(2).transpose(1, 2)
        # With an axis of heads torch never builds the positions × positions matrix.
        q, k, v = (part(tokens)[:, None] for part in (self.query, self.key, self.value))
        h = F.scaled_dot_product_attention(q, k, v)[:, 0]
        h = self.project(h).transpose(1, 2).reshape(x.shape)
        return (x + h) * math.sqrt(0.5)
