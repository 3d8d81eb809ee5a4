"""Attention as a random walk over the places of an image (M2N2, arXiv:2411.10411, section 3.2)."""

from __future__ import annotations

import torch
from torch import Tensor

from DiffusionSegLib.progress import Progress

__all__ = ["balance", "sharpen"]

_SMALLEST = 1e-20


def sharpen(maps: Tensor, temperature: float) -> Tensor:
    """(places, places): softmax(log A / T) of every row; T below 1 makes maps more decided.

    maps: rows that sum to 1. M2N2 uses T = 0.65.
    """
    if temperature == 1.0:
        return maps
    raised = maps.clamp_min(_SMALLEST).pow(1.0 / temperature)
    return raised.div_(raised.sum(1, keepdim=True))


def balance(
    maps: Tensor, rounds: int = 200, tolerance: float = 1e-3, progress: Progress | None = None
) -> Tensor:
    """(places, places): rows and columns sum to 1 (iterative proportional fitting).

    Scaling vectors r and c with diag(r) A diag(c), instead of a new matrix each round: 2 products
    of the matrix with a vector a round. It ends when no row's sum is further from 1 than
    ``tolerance``, at the latest after ``rounds`` (M2N2: 200). What every place looks at alike, such
    as the frame of a picture, then no longer dominates.
    """
    told = progress or Progress.silent()
    columns = torch.ones(len(maps), device=maps.device)
    rows = torch.ones_like(columns)
    for turn in range(rounds):
        told.report(turn / rounds, "balancing attention")
        columns = 1.0 / (rows @ maps).clamp_min(_SMALLEST)
        sums = maps @ columns
        if float((rows * sums - 1).abs().max()) < tolerance:
            break
        rows = 1.0 / sums.clamp_min(_SMALLEST)
    told.report(1.0)
    return (maps * columns).mul_(rows[:, None])
