"""The regions of a prepared picture, what they look like, and how well each fits the tumor."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from DiffusionSegLib.methods.diffugts.coarse_mask import on_canvas
from DiffusionSegLib.methods.diffugts.region_candidates import region_candidates
from DiffusionSegLib.methods.diffugts.region_features import (
    FEATURES,
    MAP_FEATURES,
    SliceFacts,
    region_features,
    region_zones,
)
from DiffusionSegLib.training.diffugts.cuts import Cut

__all__ = ["Regions", "dice", "find_regions", "map_features"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]

_MOST_IGNORED = 0.5  # share of a region that a loss does not look at: such regions are left out


@dataclass(frozen=True)
class Regions:
    """shape: of the canvas. features: (n, FEATURES) float32 whose map features are 0; dice: (n,)
    with the tumor, on the canvas, without what is ignored. squeezed: regions, their cores and
    their surroundings, see `zones`."""

    shape: tuple[int, int]
    features: Floats
    dice: Floats
    squeezed: bytes

    def zones(self) -> tuple[Bools, Bools, Bools]:
        """(n, rows, columns) each: regions, cores, surroundings."""
        bits = np.frombuffer(zlib.decompress(self.squeezed), np.uint8)
        rows, columns = self.shape
        flat = np.unpackbits(bits)[: 3 * len(self.dice) * rows * columns]
        whole, core, around = flat.reshape(3, len(self.dice), rows, columns).astype(bool)
        return whole, core, around


def find_regions(cut: Cut, canvas: int) -> Regions:
    """As at inference, on the padded picture."""
    small = on_canvas(cut.image.numpy().astype(np.float32) / np.float32(255), canvas)
    mask = on_canvas(cut.mask.numpy().astype(np.float32), canvas) > 0.5
    ignored = on_canvas(cut.ignored.numpy().astype(np.float32), canvas) > 0.5
    regions = region_candidates(small)
    kept = (regions & ignored).sum(axis=(1, 2)) <= _MOST_IGNORED * regions.sum(axis=(1, 2))
    facts = SliceFacts.of(small, np.zeros_like(small))
    features = region_features(facts, regions)[kept]
    regions = regions[kept]
    zones = [region_zones(facts, region) for region in regions]
    both = [np.stack(part) if zones else np.zeros_like(regions) for part in zip(*zones)]  # noqa: B905
    every = np.stack([regions, *both]) if zones else np.zeros((3, *regions.shape), dtype=bool)
    squeezed = zlib.compress(np.packbits(every).tobytes(), 1)
    rows, columns = small.shape
    return Regions((rows, columns), features, dice(regions & ~ignored, mask), squeezed)


def dice(regions: Bools, mask: Bools) -> Floats:
    """(n,) of regions (n, rows, columns) with a mask (rows, columns)."""
    common = (regions & mask).sum(axis=(1, 2))
    return np.asarray(2 * common / np.maximum(1, regions.sum(axis=(1, 2)) + mask.sum()), np.float32)


def map_features(regions: Regions, logits: Tensor) -> Floats:
    """(n, FEATURES): the features with those of a map (rows, columns) of logits on the padded
    picture's grid, as region_features gives them."""
    features = regions.features.copy()
    if not len(features):
        return features
    size = max(regions.shape)
    small = on_canvas(np.asarray(logits.numpy(), np.float32), size)
    _, core, around = regions.zones()
    inside = _mean(small, core)
    outside = np.where(around.any(axis=(1, 2)), _mean(small, around), inside)
    peak = np.where(core, small, -np.inf).max(axis=(1, 2))
    features[:, len(FEATURES) - MAP_FEATURES :] = np.stack([inside, inside - outside, peak], 1)
    return features


def _mean(values: Floats, places: Bools) -> Floats:
    flat = places.reshape(len(places), -1).astype(np.float32)
    total = torch.from_numpy(flat) @ torch.from_numpy(values.reshape(-1))
    return np.asarray(total.numpy() / np.maximum(1, flat.sum(axis=1)), np.float32)
