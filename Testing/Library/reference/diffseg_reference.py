"""A second, slow DiffSeg: loops over anchors and proposals, written from the published steps alone.

It shares no line with DiffusionSegLib and knows only numpy. Both must give the same labels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def aggregate(maps: Mapping[int, Array], side: int) -> Array:
    """(side, side, side, side) of square maps (s*s, s*s) by s, weighted by s."""
    result = np.zeros((side,) * 4, np.float64)
    for s, flat in maps.items():
        for y in range(side):
            for x in range(side):
                source = flat[(y * s // side) * s + x * s // side].reshape(s, s)
                enlarged = enlarge(source, side)
                result[y, x] += s / sum(maps) * enlarged / enlarged.sum()
    return result.astype(np.float32)


def enlarge(image: Array, side: int) -> NDArray[np.float64]:
    """Bilinear; pixel centers stay where they are, the border repeats."""
    matrix = np.zeros((side, len(image)))
    for target in range(side):
        place = (target + 0.5) * len(image) / side - 0.5
        low = math.floor(place)
        for index, share in ((low, 1 - (place - low)), (low + 1, place - low)):
            matrix[target, min(max(index, 0), len(image) - 1)] += share
    return matrix @ image @ matrix.T


def divergence(one: Array, others: Array) -> Array:
    """Symmetric KL of one map (n,) and each of (m, n)."""
    difference = np.log(np.maximum(one, 1e-20)) - np.log(np.maximum(others, 1e-20))
    return 0.5 * ((one * difference).sum(1) - (others * difference).sum(1))


def grid_of_anchors(side: int, count: int) -> list[tuple[int, int]]:
    step = (side - 1) // (count - 1)
    start = (side - 1 - step * (count - 1)) // 2
    along = [start + step * number for number in range(count)]
    return [(y, x) for y in along for x in along]


def merge(whole: Array, count: int, tau: float, rounds: int) -> list[Array]:
    """whole: (side, side, side, side)."""
    side = len(whole)
    flat = whole.reshape(side * side, side * side)
    proposals = []
    for y, x in grid_of_anchors(side, count):
        near = divergence(flat[y * side + x], flat) < tau
        proposals.append(flat[near].mean(0))
    for _ in range(rounds - 1):
        proposals = merge_once(proposals, tau)
    return proposals


def merge_once(proposals: Sequence[Array], tau: float) -> list[Array]:
    stacked = np.stack(proposals)
    matched: set[int] = set()
    found = []
    for number, proposal in enumerate(proposals):
        if number in matched:
            continue
        near = divergence(proposal, stacked) < tau
        matched |= {int(index) for index in np.flatnonzero(near)}
        found.append(stacked[near].mean(0))
    return found


def label(proposals: Sequence[Array], side: int, size: int) -> NDArray[np.int64]:
    enlarged = [enlarge(proposal.reshape(side, side), size) for proposal in proposals]
    return np.argmax(np.stack(enlarged), axis=0)
