"""Runs a network window by window over a batch and blends what it gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from DiffusionSegLib.diffusion.latent_windows import Window
from DiffusionSegLib.progress import Progress

__all__ = ["Blended", "Placed", "run_in_windows"]


@dataclass(frozen=True)
class Placed:
    """A window of one row of a batch."""

    row: int
    window: Window


@dataclass(frozen=True)
class Blended:
    """values: (B, channels, *places · scale), the weighted mean of the windows; 0 where no window
    is believed. weight: (B, 1, *places · scale), the sum of their weights."""

    values: Tensor
    weight: Tensor


def run_in_windows(
    network: Callable[[Tensor], Tensor],
    whole: Tensor,
    windows: Sequence[Placed],
    batch: int = 1,
    scale: int = 1,
    progress: Progress | None = None,
) -> Blended:
    """network: (n, channels, *size) to (n, other channels, *size · scale), each row by itself.

    whole: (B, channels, *places). windows: of one size. batch: windows at a time; scale: 1, or the
    voxels of a place for a network that decodes. Raises Cancelled between the batches.
    """
    progress = progress or Progress.silent()
    sides = [scale * side for side in whole.shape[2:]]
    weight = torch.zeros(len(whole), 1, *sides, device=whole.device)
    total: Tensor | None = None
    for begin in range(0, len(windows), batch):
        part = windows[begin : begin + batch]
        pieces = torch.stack([whole[one.row][(slice(None), *one.window.read())] for one in part])
        made = network(pieces).to(whole.device, torch.float32)
        if total is None:
            total = torch.zeros(len(whole), made.shape[1], *sides, device=whole.device)
        _add(part, made, scale, total, weight)
        progress.report((begin + len(part)) / len(windows))
    if total is None:
        raise ValueError("there is no window to run the network in")
    return Blended(total / weight.clamp(min=torch.finfo(torch.float32).tiny), weight)


def _add(part: Sequence[Placed], made: Tensor, scale: int, total: Tensor, weight: Tensor) -> None:
    for one, piece in zip(part, made, strict=True):
        own = one.window.weight(scale).to(total.device)
        where = (slice(None), *one.window.read(scale))
        total[one.row][where] += own * piece
        weight[one.row][where] += own
