"""Standard normal noise that is the same on every device, beside any number of other draws."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["SeededNoise", "mixed_seed"]

_BITS = 64
_MULTIPLIER = 6364136223846793005  # Knuth's, of a linear congruential generator modulo 2^64
_INCREMENT = 1442695040888963407


class SeededNoise:
    """Each call draws (len(seeds), *shape); row i comes from a generator of its own, on the CPU in
    float32, so that it depends on ``seeds[i]`` and on how often it was called only."""

    def __init__(
        self, seeds: Sequence[int], shape: Sequence[int], device: torch.device | str = "cpu"
    ) -> None:
        self._shape = tuple(shape)
        self._device = device
        self._generators = [torch.Generator().manual_seed(seed) for seed in seeds]

    def __call__(self) -> Tensor:
        """The next draw, float32, on the device."""
        rows = [torch.randn(self._shape, generator=one) for one in self._generators]
        return torch.stack(rows).to(self._device)


def mixed_seed(*parts: int) -> int:
    """One seed in [0, 2^63) of several numbers, such as the user's seed, a repeat and a slice.

    The order matters, and neighbouring numbers give unlike seeds (our choice).
    """
    state = len(parts)
    for part in parts:
        state = ((state ^ part) * _MULTIPLIER + _INCREMENT) % 2**_BITS
        state ^= state >> 29
    return state >> 1
