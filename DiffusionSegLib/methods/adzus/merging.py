"""Iterative attention merging (DiffSeg, section 3.2, algorithm 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from DiffusionSegLib.methods.adzus.divergence import log_of, symmetric_kl
from DiffusionSegLib.methods.adzus.merge_tree import MergeRound, MergeTree
from DiffusionSegLib.progress import Progress

__all__ = ["Merged", "merge_maps"]

_BLOCK = 1024  # maps; of 64 x 64 places, their logarithms are 16 MB


@dataclass(frozen=True)
class Merged:
    """proposals: (regions, places), rows sum to 1; tree: what was merged into what."""

    proposals: Tensor
    tree: MergeTree


def merge_maps(
    maps: Tensor, anchors: Sequence[int], tau: float, rounds: int, progress: Progress | None = None
) -> Merged:
    """Gather the maps around every anchor, then merge what is nearer than ``tau``.

    maps: (places, places), row q is place q's map and sums to 1. The first round replaces each
    anchor by the mean of all maps nearer than tau. Every further round walks over the proposals in
    order: one that is not yet matched becomes the mean of all proposals nearer than tau, matched
    or not, and matches them.
    """
    told = progress or Progress.silent()
    told.report(0.0, "merging attention")
    proposals = _gather(maps, anchors, tau)
    history = []
    for turn in range(1, rounds):
        told.report(turn / rounds)
        proposals, done = _merge(proposals, tau)
        history.append(done)
    told.report(1.0)
    return Merged(proposals, MergeTree(tuple(anchors), tuple(history)))


def _gather(maps: Tensor, anchors: Sequence[int], tau: float) -> Tensor:
    """Round 1, over blocks of maps, whose logarithms then stay in the processor's cache."""
    chosen = maps[list(anchors)]
    log_chosen = log_of(chosen)
    places = torch.tensor(anchors, device=maps.device)
    total, count = torch.zeros_like(chosen), torch.zeros(len(chosen), 1, device=maps.device)
    for start in range(0, len(maps), _BLOCK):
        block = maps[start : start + _BLOCK]
        near = symmetric_kl(chosen, log_chosen, block, log_of(block)) < tau
        # An anchor is at distance 0 of itself, also where rounding leaves a little more.
        own = torch.arange(start, start + len(block), device=maps.device) == places[:, None]
        weight = (near | own).to(maps.dtype)
        total.addmm_(weight, block)
        count += weight.sum(1, keepdim=True)
    return total / count


def _merge(proposals: Tensor, tau: float) -> tuple[Tensor, MergeRound]:
    """A further round: the walk is over a table of who is near to whom."""
    log = log_of(proposals)
    distance = symmetric_kl(proposals, log, proposals, log)
    distance.fill_diagonal_(0.0)  # rounding leaves a little
    near = distance < tau
    near.fill_diagonal_(True)
    table = near.tolist()
    parent = [-1] * len(table)
    leaders: list[int] = []
    for one, neighbors in enumerate(table):
        if parent[one] >= 0:
            continue
        for other, is_near in enumerate(neighbors):
            if is_near and parent[other] < 0:
                parent[other] = len(leaders)
        leaders.append(one)
    joined = distance.cpu()[torch.arange(len(parent)), torch.tensor(leaders)[parent]]
    heights = tuple(max(0.0, value) for value in joined.tolist())
    return _means(near[leaders], proposals), MergeRound(tuple(parent), heights)


def _means(near: Tensor, maps: Tensor) -> Tensor:
    """Mean of the maps that each row of ``near`` marks."""
    weight = near.to(maps.dtype)
    return (weight @ maps) / weight.sum(1, keepdim=True)
