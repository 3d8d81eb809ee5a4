"""Overlapping windows over a grid, and the smooth blending of what is predicted in them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Slices = tuple[slice, ...]


class WindowSource(Protocol):
    """An image that gives the network's input window by window."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(K, J, I)."""

    def take(self, start: Sequence[int], window: Sequence[int]) -> NDArray[np.float32]:
        """(channels, *window) in [-1, 1]; outside voxels repeat the border."""


class ArraySource:
    """An image already in [-1, 1] as a source of windows."""

    def __init__(self, array: NDArray[np.float32]) -> None:
        self._array = array

    @property
    def shape(self) -> tuple[int, ...]:
        """(K, J, I)."""
        return self._array.shape[1:]

    def take(self, start: Sequence[int], window: Sequence[int]) -> NDArray[np.float32]:
        """(channels, *window)."""
        return take_window(self._array, start, window)


def window_positions(
    shape: Sequence[int], window: Sequence[int], overlap: float
) -> list[tuple[int, ...]]:
    """Start indices of windows that cover ``shape``; neighbours share ``overlap`` (0..0.9) or more.

    An axis shorter than its window gets one start, negative or zero, that centres the image in the
    padded window.
    """
    axes = [_starts(s, w, overlap) for s, w in zip(shape, window, strict=True)]
    return list(product(*axes))


def take_window(array: NDArray[Any], start: Sequence[int], window: Sequence[int]) -> NDArray[Any]:
    """Cut (channels, *window) out of (channels, *shape); outside voxels repeat the border."""
    inside, pads = _inside(array.shape[1:], start, window)
    return np.pad(array[(slice(None), *inside)], [(0, 0), *pads], mode="edge")


def put_window(
    total: NDArray[np.float32], piece: NDArray[np.float32], start: Sequence[int]
) -> None:
    """Add (channels, *window) into (channels, *shape), dropping what lies outside."""
    window = piece.shape[1:]
    inside, pads = _inside(total.shape[1:], start, window)
    core = tuple(slice(a, w - b) for (a, b), w in zip(pads, window, strict=True))
    total[(slice(None), *inside)] += piece[(slice(None), *core)]


def blend_weight(window: Sequence[int], overlap: float) -> NDArray[np.float32]:
    """Weights in (0, 1], falling off over the overlapped margin as a raised cosine."""
    weight = np.ones(tuple(window), np.float32)
    for axis, size in enumerate(window):
        ramp = max(1, round(size * overlap))
        distance = np.minimum(np.arange(size), np.arange(size)[::-1]) + 0.5
        profile = 0.5 - 0.5 * np.cos(np.pi * np.clip(distance / ramp, 0, 1))
        if size > 1 and overlap > 0:
            weight *= profile.astype(np.float32).reshape(
                [-1 if a == axis else 1 for a in range(len(window))]
            )
    return np.maximum(weight, np.float32(1e-3))


def _starts(size: int, window: int, overlap: float) -> list[int]:
    if size <= window:
        return [-((window - size) // 2)]
    step = max(1, int(window * (1 - overlap)))
    count = -(-(size - window) // step) + 1
    return [round(i * (size - window) / (count - 1)) for i in range(count)]


def _inside(
    shape: Sequence[int], start: Sequence[int], window: Sequence[int]
) -> tuple[Slices, list[tuple[int, int]]]:
    slices, pads = [], []
    for size, first, width in zip(shape, start, window, strict=True):
        a, b = max(first, 0), min(first + width, size)
        slices.append(slice(a, b))
        pads.append((a - first, first + width - b))
    return tuple(slices), pads
