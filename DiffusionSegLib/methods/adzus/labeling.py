"""From proposals to one number per pixel (DiffSeg, section 3.3, non-maximum suppression)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from DiffusionSegLib.diffusion.attention.grids import Grid

__all__ = ["label_pixels"]


def label_pixels(proposals: Tensor, grid: Grid, size: Grid) -> Tensor:
    """(rows, columns), int64: for each pixel the proposal with the highest value there.

    proposals: (regions, places of ``grid``), enlarged bilinearly to ``size``, one at a time; of
    equal values the first proposal's counts.
    """
    best = torch.full(size, -torch.inf, device=proposals.device)
    label = torch.zeros(size, dtype=torch.int64, device=proposals.device)
    for number, proposal in enumerate(proposals):
        there = proposal.reshape(1, 1, *grid)
        here = F.interpolate(there, size=size, mode="bilinear", align_corners=False)[0, 0]
        better = here > best
        best = torch.where(better, here, best)
        label[better] = number
    return label
