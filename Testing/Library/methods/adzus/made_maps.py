"""Attention maps as a network would give them of an image with a few objects."""

from __future__ import annotations

import torch

from DiffusionSegLib.diffusion.attention.capture import AttentionMap


def scene(side: int) -> torch.Tensor:
    """(side, side): 0 background, 1 a disk, 2 a bar."""
    line = (torch.arange(side) + 0.5) / side
    y, x = torch.meshgrid(line, line, indexing="ij")
    objects = torch.zeros(side, side, dtype=torch.int64)
    objects[(y - 0.35) ** 2 + (x - 0.35) ** 2 < 0.05] = 1
    objects[(y > 0.7) & (x > 0.3)] = 2
    return objects


def made_map(side: int, seed: int = 0, sharpness: float = 3.0) -> AttentionMap:
    """Places look at near places of their own object."""
    rng = torch.Generator().manual_seed(seed)
    objects = scene(side).reshape(-1)
    features = torch.nn.functional.one_hot(objects, 3).float()
    features += 0.15 * torch.randn(features.shape, generator=rng)
    line = torch.arange(side) / side
    places = torch.cartesian_prod(line, line)
    far = torch.cdist(places, places) ** 2
    weights = torch.softmax(-sharpness * torch.cdist(features, features) ** 2 - 4 * far, 1)
    return AttentionMap("self", (side, side), weights, (f"layer{side}",))


def made_maps(sides: tuple[int, ...]) -> list[AttentionMap]:
    """One map a resolution, finest first."""
    return [made_map(side, seed) for seed, side in enumerate(sides)]
