"""The regions of a slice and what does not depend on a text: made once, asked many times."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.methods.diffugts.region_candidates import region_candidates
from DiffusionSegLib.methods.diffugts.region_features import (
    MAP_FEATURES,
    SliceFacts,
    region_features,
    region_zones,
)

__all__ = ["RegionShelf", "SliceRegions", "slice_regions"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]
_KEPT_SLICES = 48  # each holds a few MB


@dataclass(frozen=True)
class SliceRegions:
    """regions: (n, rows, columns); features: of them, those of the map are of an empty one. cores,
    surroundings: (n, pixels), the zones that the map's features tell of, as shares that sum to 1
    (or to 0 where there are none)."""

    facts: SliceFacts
    regions: Bools
    features: Floats
    inside: Bools
    cores: Floats
    surroundings: Floats

    def with_map(self, logits: Floats) -> Floats:
        """(n, features), with those of a map (rows, columns) of logits in place."""
        if not len(self.regions):
            return self.features
        flat = logits.reshape(-1).astype(np.float32)
        inside = self.cores @ flat
        around = np.where(self.surroundings.any(axis=1), self.surroundings @ flat, inside)
        peak = np.where(self.inside, flat, -np.inf).max(axis=1)
        told = np.stack([inside, inside - around, peak], axis=1)
        return np.concatenate([self.features[:, :-MAP_FEATURES], told], axis=1).astype(np.float32)

    def facts_with(self, logits: Floats) -> SliceFacts:
        """The facts of the slice with that map."""
        return replace(self.facts, map=logits)


def slice_regions(slice_: Floats) -> SliceRegions:
    """slice_: (rows, columns) in [0, 1], on the canvas."""
    facts = SliceFacts.of(slice_, np.zeros_like(slice_))
    regions = region_candidates(slice_)
    features = region_features(facts, regions)
    zones = [region_zones(facts, region) for region in regions]
    cores = _flat([core for core, _ in zones], slice_.size)
    around = _flat([ring for _, ring in zones], slice_.size)
    return SliceRegions(facts, regions, features, cores, _shares(cores), _shares(around))


def _flat(masks: list[Bools], size: int) -> Bools:
    return np.stack(masks).reshape(len(masks), -1) if masks else np.zeros((0, size), bool)


def _shares(masks: Bools) -> Floats:
    counts = np.maximum(1, masks.sum(axis=1, keepdims=True))
    return np.asarray(masks / counts, dtype=np.float32)


@dataclass(eq=False)
class RegionShelf:
    """Keeps the regions of the slices that were asked for last."""

    _kept: OrderedDict[int, SliceRegions] = field(default_factory=OrderedDict)

    def get(self, number: int, slice_: Floats) -> SliceRegions:
        """Of slice ``number``, which on the canvas is ``slice_``."""
        if number not in self._kept:
            self._kept[number] = slice_regions(slice_)
            while len(self._kept) > _KEPT_SLICES:
                self._kept.popitem(last=False)
        self._kept.move_to_end(number)
        return self._kept[number]
