"""Optional refinement: k-means over all maps, started at the merged proposals (DiffSeg's code)."""

from __future__ import annotations

import torch
from torch import Tensor

from DiffusionSegLib.progress import Progress

__all__ = ["refine_by_kmeans"]

_MOST_TURNS = 300
_TOLERANCE = 1e-4  # of the mean variance, as scikit-learn stops


def refine_by_kmeans(maps: Tensor, proposals: Tensor, progress: Progress | None = None) -> Tensor:
    """(regions, places): means of the clusters of maps (Euclidean distance); rows sum to 1.

    maps: (places, places). A cluster that no map is nearest to keeps its proposal.
    """
    told = progress or Progress.silent()
    centers = proposals
    limit = _TOLERANCE * float(maps.var(0, correction=0).mean())
    for turn in range(_MOST_TURNS):
        told.report(turn / _MOST_TURNS, "refining regions")
        moved = _means(maps, centers)
        change = float((moved - centers).square().sum())
        centers = moved
        if change <= limit:
            break
    return centers


def _means(maps: Tensor, centers: Tensor) -> Tensor:
    """One turn. Of |m − c|² the part |m|² is the same for all centers and is left out."""
    distance = torch.addmm(centers.square().sum(1)[None], maps, centers.T, alpha=-2)
    nearest = distance.argmin(1)
    member = torch.zeros(len(centers), len(maps), device=maps.device)
    member[nearest, torch.arange(len(maps), device=maps.device)] = 1
    count = member.sum(1, keepdim=True)
    return torch.where(count > 0, (member @ maps) / count.clamp_min(1), centers)
