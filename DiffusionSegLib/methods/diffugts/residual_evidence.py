"""Inpainting of the coarse mask, and what the difference to the pseudo-healthy image says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from DiffusionSegLib.backbones.generative.interface import GenerativeBackbone
from DiffusionSegLib.methods.diffugts.anomaly_maps import ABNORMAL, NORMAL
from DiffusionSegLib.methods.diffugts.dimensions import resized
from DiffusionSegLib.methods.diffugts.feature_residual import FeatureResidual
from DiffusionSegLib.methods.diffugts.inpainting_plan import InpaintingPlan, PseudoHealthySettings
from DiffusionSegLib.methods.diffugts.pixel_residual import difference_scale, pixel_residual
from DiffusionSegLib.methods.diffugts.pseudo_healthy import PseudoHealthy, Shown, pseudo_healthy
from DiffusionSegLib.progress import Progress

__all__ = ["ResidualEvidence", "residual_evidence"]


@dataclass(frozen=True)
class ResidualEvidence:
    """All on the CPU, of the items and box of ``filled``. pixel: (S, items, *voxels), P_r of each
    seed; feature: the same, logits of F_r, abnormal less normal, 0 without a text."""

    filled: PseudoHealthy
    pixel: Tensor
    feature: Tensor

    def cut(self, values: Tensor) -> Tensor:
        """(items, *voxels of the box) of a volume (K, J, I)."""
        return self.filled.cut(values[None, None])

    def paste(self, values: Tensor, onto: Tensor) -> Tensor:
        """(K, J, I): a copy of ``onto`` with (items, *voxels of the box) in it."""
        return self.filled.paste(values, onto[None, None])[0, 0]


@torch.no_grad()
def residual_evidence(
    backbone: GenerativeBackbone,
    picture: Tensor,
    mask: NDArray[np.bool_],
    condition: Any,
    settings: PseudoHealthySettings,
    seed: int,
    projection: FeatureResidual | None,
    texts: Tensor | None,
    progress: Progress,
    shown: Shown | None = None,
    plan: InpaintingPlan | None = None,
) -> ResidualEvidence:
    """picture: (1, 1, K, J, I); mask: (K, J, I), already grown. texts: (2, width) of the prompt.
    plan: of `plan_inpainting` for the mask, when it is there already.

    The pixel residual is taken against what the autoencoder alone gives back, so that it shows
    what the diffusion model changed and not what the autoencoder cannot draw.
    """
    filled = pseudo_healthy(
        backbone, picture, None, torch.from_numpy(mask), condition, settings, seed, progress,
        plan, shown,
    )  # fmt: skip
    difference = (filled.baseline - filled.images).numpy()
    spatial = tuple(range(2, difference.ndim))
    scale = difference_scale(picture[0, 0].numpy())
    pixel = torch.from_numpy(pixel_residual(difference, scale, spatial))
    feature = torch.zeros_like(pixel)
    if projection is not None and texts is not None:
        feature = _feature_logits(filled, projection, texts)
    return ResidualEvidence(filled, pixel, feature)


def _feature_logits(filled: PseudoHealthy, projection: FeatureResidual, texts: Tensor) -> Tensor:
    seeds = len(filled.images)
    device = next(projection.parameters()).device
    voxels = tuple(filled.images.shape[2:])
    found = []
    for number in range(seeds):
        logits = projection(filled.latent_difference[number].to(device), texts[None].to(device))
        apart = logits[:, ABNORMAL] - logits[:, NORMAL]
        found.append(resized(apart[:, None], voxels)[:, 0].cpu())
    return torch.stack(found)
