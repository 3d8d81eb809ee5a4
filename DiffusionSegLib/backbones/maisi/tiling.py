"""Runs a network over overlapping windows of a volume and blends what comes out.

Weights and spacing are those of MONAI's sliding_window_inference with mode "gaussian"; unlike there
the results may be of several, also lower, resolutions, and windows start where a place of each
starts.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

__all__ = ["blend_windows", "window_starts"]

_SIGMA = 0.125  # of the window's side
_LEAST = 1e-3  # weight, so that no place is without


def window_starts(size: int, window: int, overlap: float, grain: int = 1) -> list[int]:
    """Of windows that cover ``size`` places; each start is a multiple of ``grain``.

    size and window are multiples of grain as well; neighbours share at least ``overlap`` of a
    window's side, in [0, 1).
    """
    step = max(grain, int(window * (1 - overlap)) // grain * grain)
    last = max(0, size - window)
    return [*range(0, last, step), last]


def blend_windows(
    volume: Tensor,
    window: Sequence[int],
    overlap: float,
    run: Callable[[Tensor], Sequence[Tensor]],
    grain: int = 1,
) -> tuple[Tensor, ...]:
    """What ``run`` makes of the volume (B, C, *places), window by window.

    run: takes (B, C, *window) and gives tensors (B, any, *sides) at resolutions that divide or
    multiply the window's; a volume that is no larger than the window is given as it is. grain:
    places per side of the coarsest result. Results are float32 where there are several windows.
    """
    size = volume.shape[2:]
    sides = [min(of, wanted) for of, wanted in zip(size, window, strict=True)]
    if list(size) == sides:
        return tuple(run(volume))
    starts = [window_starts(of, side, overlap, grain) for of, side in zip(size, sides, strict=True)]
    sums: list[_Sum] = []
    for corner in itertools.product(*starts):
        parts = run(volume[_place(corner, sides)])
        sums = sums or [_Sum(part, size, sides) for part in parts]
        for total, part in zip(sums, parts, strict=True):
            total.add(part, corner)
    return tuple(total.mean() for total in sums)


class _Sum:
    """Weighted results so far, on the grid of one of the results."""

    def __init__(self, part: Tensor, size: Sequence[int], sides: Sequence[int]) -> None:
        """part: the first window's result; size, sides: of the volume and of a window."""
        self._grown = [(of, side) for of, side in zip(part.shape[2:], sides, strict=True)]
        whole = [self._scaled(of, axis) for axis, of in enumerate(size)]
        self._weight = _bell(part.shape[2:], part.device)
        self._values = torch.zeros((*part.shape[:2], *whole), device=part.device)
        self._weights = torch.zeros(whole, device=part.device)

    def add(self, part: Tensor, corner: Sequence[int]) -> None:
        """corner: of the window, in the volume."""
        begin = [self._scaled(at, axis) for axis, at in enumerate(corner)]
        place = _place(begin, part.shape[2:])
        self._values[place] += part.float() * self._weight
        self._weights[place] += self._weight

    def mean(self) -> Tensor:
        """The blend."""
        return self._values.div_(self._weights)

    def _scaled(self, places: int, axis: int) -> int:
        """Of the volume, as places of the result."""
        made, of = self._grown[axis]
        return places * made // of


def _place(corner: Sequence[int], sides: Sequence[int]) -> Any:
    """The index of a window in the last axes."""
    return (..., *(slice(at, at + side) for at, side in zip(corner, sides, strict=True)))


def _bell(sides: Sequence[int], device: torch.device) -> Tensor:
    """A Gaussian about the window's middle."""
    weight = torch.ones((), device=device)
    for side in sides:
        away = torch.arange(side, device=device) - (side - 1) / 2
        along = torch.exp(-0.5 * (away / max(_SIGMA * side, 1e-6)) ** 2)
        weight = weight[..., None] * along
    return weight.clamp_min(_LEAST)
