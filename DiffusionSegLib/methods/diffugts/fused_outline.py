"""The probability of every voxel: coarse mask, map and residuals, averaged over the seeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from DiffusionSegLib.methods.diffugts.fusion import Fusion
from DiffusionSegLib.methods.diffugts.residual_evidence import ResidualEvidence

__all__ = ["FusedOutline", "fused_outline", "untrained_fusion"]

Floats = NDArray[np.float32]
_OUTLINE_PIXELS = 1.0  # single pixels of a residual are noise; borders of tumors are smoother
_SEAM_PIXELS = 1.5  # over which the pseudo-healthy part and the picture around it are mixed


@dataclass(frozen=True)
class FusedOutline:
    """(K, J, I) of the padded picture each. probability: mean over seeds, 0 outside of what was
    filled; spread: deviation over seeds; healthy: the pseudo-healthy picture in [0, 1], the mean
    over seeds where it was filled and the picture itself elsewhere."""

    probability: Floats
    spread: Floats
    healthy: Floats


@torch.no_grad()
def fused_outline(
    evidence: ResidualEvidence,
    belief: Floats,
    logits: Floats,
    picture: Tensor,
    fusion: Fusion,
    with_feature: bool,
) -> FusedOutline:
    """belief: of the coarse mask; logits: of the map; both (K, J, I). picture: (1, 1, K, J, I)."""
    coarse, shown = (evidence.cut(torch.from_numpy(values)) for values in (belief, logits))
    feature = evidence.feature if with_feature else torch.zeros_like(evidence.feature)
    device = fusion.bias.device
    seeds = [
        fusion(*(one.to(device) for one in (coarse, shown, pixel, own))).cpu()
        for pixel, own in zip(evidence.pixel, feature, strict=True)
    ]
    filled = evidence.filled
    drawn = torch.stack([_smooth(one, _OUTLINE_PIXELS) for one in seeds]) * filled.filled
    spread = drawn.std(dim=0) if len(seeds) > 1 else torch.zeros_like(drawn[0])
    nothing = torch.zeros(picture.shape[2:])
    share = _smooth(filled.filled.float(), _SEAM_PIXELS)
    healthy = torch.lerp(filled.cut(picture), filled.images.mean(dim=0), share)
    return FusedOutline(
        evidence.paste(drawn.mean(dim=0), nothing).numpy(),
        evidence.paste(spread, nothing).numpy(),
        evidence.paste(healthy, picture[0, 0]).numpy(),
    )


def _smooth(items: Tensor, pixels: float) -> Tensor:
    """(items, *voxels), within each item."""
    widths = (0.0, *[pixels] * (items.ndim - 1))
    return torch.from_numpy(ndimage.gaussian_filter(items.numpy(), widths, mode="nearest"))


def untrained_fusion() -> Fusion:
    """For models without trained parts: a coarse mask is believed unless nothing changed, and
    believed beyond its border where much did (our choice)."""
    fusion = Fusion().requires_grad_(False)
    for name, value in (("bias", -3.0), ("coarse", 4.0), ("map", 0.0), ("pixel", 1.0)):
        getattr(fusion, name).fill_(value)
    fusion.feature.fill_(0.0)
    return fusion
