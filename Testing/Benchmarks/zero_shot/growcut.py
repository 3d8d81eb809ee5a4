"""GrowCut (Vezhnevets and Konouchine 2005), by shortest paths.

In the cellular automaton a pixel q of strength s conquers its neighbor p when g(|C_p - C_q|) s
exceeds the strength of p, with g(x) = 1 - x / max|C|; seeds have strength 1. When nothing changes
any more, a pixel belongs to the seed from which the product of g along some path is largest. That
is the shortest path for the edge lengths -log g, which is found at once (Zhu et al. 2014 do so for
3D Slicer's Grow from seeds). Equal to the automaton but for ties; the test compares the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from DiffusionSegLib.evaluation.clicks import Click
from DiffusionSegLib.nouns.image import Image
from Testing.Benchmarks.zero_shot.seeds import SeedRule, seeds_of
from Testing.Benchmarks.zero_shot.tidying import tidied
from Testing.Benchmarks.zero_shot.working import Working

BoolArray = NDArray[np.bool_]
_STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))  # one of each pair of the 8 neighbors
_LEAST = 1e-4  # of g: two pixels of opposite color are still neighbors
_FREE = 1e-9  # a length of 0 would be no edge
_RULE = SeedRule(radius=0.0, reach=0.3, ring="always")


@dataclass
class GrowCut:
    """decay: strength is lost also in even areas, -log g grows by so much each pixel."""

    rule: SeedRule = _RULE
    decay: float = 0.0
    longest: int = 128
    smoothing: float = 0.7
    _working: Working | None = field(default=None, init=False, repr=False)

    def set_image(self, image: Image) -> None:
        """Make the graph."""
        self._working = Working.of(image, self.longest, self.smoothing)
        self._graph = attack_graph(self._working.pixels, self.decay)

    def outline(self, clicks: Sequence[Click]) -> BoolArray:
        """Anew from all clicks."""
        assert self._working is not None
        seeds = seeds_of(self._working, clicks, self.rule)
        inside = conquered(self._graph, seeds.include, seeds.exclude)
        return self._working.to_full(tidied(inside, self._working, clicks))


def attack_graph(pixels: NDArray[np.float32], decay: float = 0.0) -> sparse.csr_matrix:
    """-log g between all 8-neighbors of (rows, columns, channels), as a symmetric matrix."""
    rows, columns = pixels.shape[:2]
    index = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    largest = max(float(np.linalg.norm(pixels, axis=-1).max()), 1e-6)
    starts, ends, lengths = [], [], []
    for down, across in _STEPS:
        here, there = _pair(rows, columns, down, across)
        step = np.linalg.norm(pixels[here] - pixels[there], axis=-1)
        kept = np.maximum(1 - step / largest, _LEAST)
        starts.append(index[here].ravel())
        ends.append(index[there].ravel())
        lengths.append((_FREE - np.log(kept) + decay * np.hypot(down, across)).ravel())
    one, other, length = (np.concatenate(parts) for parts in (starts, ends, lengths))
    both = (np.concatenate([one, other]), np.concatenate([other, one]))
    size = rows * columns
    return sparse.csr_matrix((np.concatenate([length, length]), both), shape=(size, size))


def conquered(graph: sparse.csr_matrix, include: BoolArray, exclude: BoolArray) -> BoolArray:
    """Where the included seeds (rows, columns) win."""
    seeds = np.flatnonzero(include | exclude)
    _, _, sources = dijkstra(graph, indices=seeds, min_only=True, return_predecessors=True)
    reached = sources >= 0
    inside = np.zeros(include.size, np.bool_)
    inside[reached] = include.ravel()[sources[reached]]
    return inside.reshape(include.shape)


def _pair(
    rows: int, columns: int, down: int, across: int
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    left, right = max(0, -across), max(0, across)
    here = (slice(0, rows - down), slice(left, columns - right))
    there = (slice(down, rows), slice(left + across, columns - right + across))
    return here, there
