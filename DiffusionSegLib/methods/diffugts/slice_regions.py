"""The regions of a slice and what does not depend on a text: made once, asked many times."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.methods.diffugts.packed_masks import PackedMasks
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
_KEPT_SLICES = 256  # each holds half a megabyte


@dataclass(frozen=True)
class SliceRegions:
    """features: (n, features), those of the map are of an empty one. _regions, _cores,
    _surroundings: the regions, and the zones that the map's features tell of."""

    facts: SliceFacts
    features: Floats
    _regions: PackedMasks
    _cores: PackedMasks
    _surroundings: PackedMasks

    @property
    def regions(self) -> Bools:
        """(n, rows, columns)."""
        return self._regions.masks()

    def with_map(self, logits: Floats) -> Floats:
        """(n, features), with those of a map (rows, columns) of logits in place."""
        if not len(self._regions):
            return self.features
        flat = logits.reshape(-1).astype(np.float32)
        cores, surroundings = _flat(self._cores), _flat(self._surroundings)
        inside = _shares(cores) @ flat
        around = np.where(surroundings.any(axis=1), _shares(surroundings) @ flat, inside)
        peak = np.where(cores, flat, -np.inf).max(axis=1)
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
    cores, around = np.zeros_like(regions), np.zeros_like(regions)
    for number, region in enumerate(regions):
        cores[number], around[number] = region_zones(facts, region)
    return SliceRegions(facts, features, *map(PackedMasks.of, (regions, cores, around)))


def _flat(packed: PackedMasks) -> Bools:
    masks = packed.masks()
    return masks.reshape(len(masks), -1)


def _shares(masks: Bools) -> Floats:
    """That sum to 1, or to 0 where there are none."""
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
