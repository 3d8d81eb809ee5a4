"""Adaptive group normalisation: the latent code scales and shifts every feature map."""

from __future__ import annotations

from torch import Tensor, nn

from DiffusionSegLib.methods.cdal.fir import dense
from DiffusionSegLib.methods.cdal.groups import group_count


class AdaptiveGroupNorm(nn.Module):
    """GroupNorm without affine parameters, then γ(z) · x + β(z); [γ, β] is one linear map of z."""

    def __init__(self, channels: int, latent_width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(group_count(channels), channels, eps=1e-6, affine=False)
        self.style = dense(latent_width, 2 * channels)
        nn.init.ones_(self.style.bias[:channels])  # γ starts at 1, β at 0

    def forward(self, x: Tensor, latent: Tensor) -> Tensor:
        """x: (B, C, *spatial); latent: (B, latent_width)."""
        shape = (*latent.shape[:1], -1, *[1] * (x.ndim - 2))
        gamma, beta = self.style(latent).reshape(shape).chunk(2, dim=1)
        out: Tensor = gamma * self.norm(x) + beta
        return out
