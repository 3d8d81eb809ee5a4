"""Pseudo-healthy twins of prepared pictures, drawn once for all runs on the same data.

Which region is filled cannot be what a trained rule finds, for then every run had to draw its own:
of half of the pictures it is the region that fits the tumor best, of the others one that it might
take for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from DiffusionSegLib.backbones.generative.interface import GenerativeBackbone, ScanFacts
from DiffusionSegLib.methods.diffugts.dimensions import resized
from DiffusionSegLib.methods.diffugts.inpainting_plan import PseudoHealthySettings
from DiffusionSegLib.methods.diffugts.masked_places import grown_mask
from DiffusionSegLib.methods.diffugts.pseudo_healthy import pseudo_healthy
from DiffusionSegLib.training.diffugts.cuts import HEALTHY, Cut
from DiffusionSegLib.training.diffugts.regions import Regions
from DiffusionSegLib.training.diffugts.settings import GtsSettings

__all__ = ["Twin", "chosen_region", "draw_twin"]

_GOOD = 0.3  # Dice of a region that may stand for the tumor
_BEST_SHARE = 0.6


@dataclass(frozen=True)
class Twin:
    """region: number of the region that was filled. filled: (rows, columns) bool; difference: the
    same, float16, what the diffusion model changed, in [-1, 1], 0 elsewhere; latent: (C, *places)
    float16, what it changed there."""

    region: int
    filled: Tensor
    difference: Tensor
    latent: Tensor


def chosen_region(cut: Cut, regions: Regions, rng: torch.Generator) -> int | None:
    """The best one or a likely wrong one; None where there are no regions."""
    if not len(regions.dice):
        return None
    best = int(regions.dice.argmax())
    good = cut.role != HEALTHY and regions.dice[best] >= _GOOD
    if good and float(torch.rand((), generator=rng)) < _BEST_SHARE:
        return best
    others = np.flatnonzero((regions.dice > 0.05) & (regions.dice < 0.6))
    pool = others if len(others) else np.arange(len(regions.dice))
    return int(pool[int(torch.randint(len(pool), (), generator=rng))])


def draw_twin(
    backbone: GenerativeBackbone,
    cut: Cut,
    regions: Regions,
    region: int,
    settings: GtsSettings,
    seed: int,
) -> Twin:
    """As at inference, with one seed and no words (a bare machine cannot read them)."""
    mask = _on_picture(regions.zones()[0][region], cut.image.shape)
    grown = grown_mask(mask, settings.grow * settings.side, (1.0, 1.0))
    inpainting = PseudoHealthySettings(steps=settings.twin_steps, seeds=1)
    found = pseudo_healthy(
        backbone, cut.image[None, None].float() / 255, None, torch.from_numpy(grown),
        backbone.condition(ScanFacts()), inpainting, seed,
    )  # fmt: skip
    places = tuple(side // backbone.factor for side in cut.image.shape)
    difference = torch.zeros(cut.image.shape)
    difference[found.box] = (found.baseline - found.images[0])[0]
    filled = torch.zeros(cut.image.shape, dtype=torch.bool)
    filled[found.box] = found.filled[0]
    latent = torch.zeros(backbone.latent_channels, *places)
    latent[(slice(None), *found.plan.box)] = found.latent_difference[0, 0]
    return Twin(region, filled, (difference * filled).half(), latent.half())


def _on_picture(region: NDArray[np.bool_], shape: torch.Size) -> NDArray[np.bool_]:
    small = torch.from_numpy(region.astype(np.float32))[None, None]
    return np.asarray(resized(small, tuple(shape))[0, 0].numpy() > 0.5)
