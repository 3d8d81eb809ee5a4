"""What the network's one pass tells of a slice: the walk over its places, joined maps, features."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional as F

from DiffusionSegLib.backbones.latent_diffusion.attention_pass import (
    AttentionRequest,
    run_attention_pass,
)
from DiffusionSegLib.backbones.latent_diffusion.interface import LatentDiffusion
from DiffusionSegLib.diffusion.attention.capture import AttentionMap
from DiffusionSegLib.diffusion.attention.grids import Grid
from DiffusionSegLib.diffusion.attention.transition import balance, sharpen
from DiffusionSegLib.methods.adzus.coarse_walk import CoarseWalk, coarse_walk
from DiffusionSegLib.methods.adzus.pass_sides import LARGEST_SIDE, scaled_sides
from DiffusionSegLib.methods.adzus.regions import aggregate_by_resolution
from DiffusionSegLib.progress import Progress

__all__ = ["PlaneAttention", "network_picture", "read_attention"]

TEMPERATURE = 0.65  # M2N2, section 3.2
_WALK_POWER = 2.0  # of a map's side; M2N2 uses the finest maps alone


@dataclass(frozen=True, eq=False)
class PlaneAttention:
    """maps: of self-attention, finest first, on the CPU. walk: (places, places) of the finest grid,
    rows and columns sum to 1. features: (places, n), unit length, of the finest grid."""

    maps: tuple[AttentionMap, ...]
    walk: Tensor
    features: Tensor

    @property
    def grid(self) -> Grid:
        """The finest."""
        return self.maps[0].grid

    @cached_property
    def coarse(self) -> CoarseWalk:
        """The walk on at most 32 x 32 blocks of places."""
        return coarse_walk(self.walk, self.grid)


def read_attention(
    backbone: LatentDiffusion,
    rgb: Tensor,
    timestep: int,
    progress: Progress,
    largest: int = LARGEST_SIDE,
) -> PlaneAttention:
    """One pass with the empty text and without noise.

    rgb: (rows, columns, 3) in [0, 1], of any size: the network sees it with a long side of 256 to
    ``largest`` pixels. The walk takes less time than the pass.
    """
    request = AttentionRequest(timestep=timestep)
    picture = network_picture(backbone, rgb, largest)
    done = run_attention_pass(backbone, picture, request, progress.part(0.0, 0.8))
    maps = tuple(_on_cpu(one) for one in done.self_maps)
    sharp = sharpen(aggregate_by_resolution(maps, _WALK_POWER), TEMPERATURE)
    walk = balance(sharp, progress=progress.part(0.8, 1.0))
    keys = maps[0].keys
    features = walk if keys is None else F.normalize(keys, dim=1)
    return PlaneAttention(maps, walk, features)


def network_picture(
    backbone: LatentDiffusion, rgb: Tensor, largest: int = LARGEST_SIDE
) -> Tensor:
    """(1, channels, rows, columns) in [-1, 1], with sides that the network can read."""
    size = scaled_sides(rgb.shape[0], rgb.shape[1], largest, backbone.image_multiple)
    picture = rgb.permute(2, 0, 1)[None].float()
    picture = F.interpolate(
        picture, size=size, mode="bilinear", align_corners=False, antialias=True
    )
    if backbone.image_channels == 1:
        picture = picture.mean(1, keepdim=True)
    return torch.clamp(picture, 0.0, 1.0) * 2 - 1


def _on_cpu(one: AttentionMap) -> AttentionMap:
    keys = None if one.keys is None else one.keys.cpu()
    return AttentionMap(one.kind, one.grid, one.weights.cpu(), one.layers, one.group, keys)
