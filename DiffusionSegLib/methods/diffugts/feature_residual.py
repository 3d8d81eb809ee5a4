"""The feature-level residual: what changed in the latent, compared with the texts."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from DiffusionSegLib.methods.diffugts.dimensions import conv

__all__ = ["FeatureResidual"]

_SCALE = 10.0  # of cosines before a softmax, at the start


class FeatureResidual(nn.Module):
    """Projects the latent difference f_r = z − z_0 to the width of sentence vectors, place by
    place, and compares it with every text by its cosine.

    The paper speaks of text-driven residuals; how the projection is trained is not stated. Here two
    1 × 1 convolutions read f_r and |f_r| and are trained together with the maps (our choice): how
    much changed matters as well as which way, and a cosine alone would not see it.
    """

    def __init__(self, latent_channels: int, text_width: int, inner: int, dims: int) -> None:
        super().__init__()
        self.first = conv(dims, 2 * latent_channels, inner)
        self.last = conv(dims, inner, text_width)
        self.scale = nn.Parameter(torch.tensor(_SCALE))

    def forward(self, difference: Tensor, texts: Tensor) -> Tensor:
        """Logits (B, N, *places) of (B, latent_channels, *places) and (B or 1, N, text_width)."""
        inner = F.gelu(self.first(torch.cat([difference, difference.abs()], dim=1)))
        projected = F.normalize(self.last(inner), dim=1)
        named = F.normalize(texts, dim=2).expand(len(difference), -1, -1)
        cosine = torch.matmul(named, projected.flatten(2))
        return self.scale * cosine.unflatten(2, difference.shape[2:])
