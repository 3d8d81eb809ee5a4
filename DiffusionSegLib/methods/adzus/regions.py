"""From attention maps to numbered regions: DiffSeg's steps, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from DiffusionSegLib.diffusion.attention.aggregate import aggregate_self_attention
from DiffusionSegLib.diffusion.attention.capture import AttentionMap
from DiffusionSegLib.diffusion.attention.grids import Grid
from DiffusionSegLib.methods.adzus.anchors import anchor_places
from DiffusionSegLib.methods.adzus.kmeans import refine_by_kmeans
from DiffusionSegLib.methods.adzus.labeling import label_pixels
from DiffusionSegLib.methods.adzus.merge_tree import MergeTree
from DiffusionSegLib.methods.adzus.merging import merge_maps
from DiffusionSegLib.methods.adzus.resolution_weights import resolution_weights
from DiffusionSegLib.methods.adzus.settings import RegionSettings
from DiffusionSegLib.progress import Progress

__all__ = ["Regions", "aggregate_by_resolution", "find_regions"]


@dataclass(frozen=True)
class Regions:
    """labels: (rows, columns), int64, numbers of proposals; a proposal may win no pixel.

    proposals: (regions, places of ``grid``), rows sum to 1. tree: its last level are the proposals
    (before k-means moved them).
    """

    labels: Tensor
    proposals: Tensor
    grid: Grid
    tree: MergeTree


def find_regions(
    maps: Sequence[AttentionMap],
    size: Grid,
    settings: RegionSettings,
    progress: Progress | None = None,
) -> Regions:
    """Divide an image of ``size`` (rows, columns) into regions, from its self-attention maps.

    The pass that gave the maps was made at settings.timestep. Takes less than half a second on one
    processor thread for Stable Diffusion's maps at 512 x 512; the joined tensor is as large as the
    finest map.
    """
    told = progress or Progress.silent()
    grid = max((one.grid for one in maps), key=lambda one: one[0] * one[1])
    told.report(0.0, "joining attention maps")
    whole = aggregate_by_resolution(maps, settings.resolution_power)
    anchors = anchor_places(grid, settings.anchors)
    merged = merge_maps(whole, anchors, settings.tau, settings.rounds, told.part(0.2, 0.7))
    proposals = merged.proposals
    if settings.kmeans:
        proposals = refine_by_kmeans(whole, proposals, told.part(0.7, 0.9))
    told.report(0.9, "numbering regions")
    labels = label_pixels(proposals, grid, size)
    told.report(1.0)
    return Regions(labels, proposals, grid, merged.tree)


def aggregate_by_resolution(maps: Sequence[AttentionMap], power: float) -> Tensor:
    """One tensor (places, places) of the finest grid; finer maps weigh more."""
    weights = resolution_weights([one.grid for one in maps], power)
    return aggregate_self_attention(maps, weights)
