"""How fast a device is, from a computation of the usual kind; cards' seconds are scaled by it."""

from __future__ import annotations

import time
from statistics import median

from DiffusionSegLib.errors import OutOfMemoryError

__all__ = ["Calibrations", "calibrate"]

_CHANNELS, _SIDE = 32, 96
_REPEATS = 9
_WARM_UP = 2


class Calibrations:
    """What devices took; each is asked once."""

    def __init__(self) -> None:
        self._known: dict[str, float | None] = {}

    def seconds(self, device: str) -> float | None:
        """Of the computation on that device; None when it cannot be done there."""
        if device not in self._known:
            self._known[device] = _tried(device)
        return self._known[device]


def calibrate(device: str, processor_time: bool = False) -> float:
    """Seconds of a convolution of 3 x 3 places from 32 to 32 channels on 96 x 96 pixels, followed
    by an exponential of the result: the median of some, in all a few hundredths of a second.

    processor_time: count what this process computed, for a machine that others use too.
    """
    import torch

    clock = time.process_time if processor_time else time.perf_counter
    rng = torch.Generator().manual_seed(0)
    picture = torch.rand((1, _CHANNELS, _SIDE, _SIDE), generator=rng).to(device)
    weight = torch.rand((_CHANNELS, _CHANNELS, 3, 3), generator=rng).to(device)
    found = []
    with torch.inference_mode():
        for _ in range(_REPEATS + _WARM_UP):
            begun = clock()
            float(torch.nn.functional.conv2d(picture, weight).mul_(-0.01).exp_()[0, 0, 0, 0])
            found.append(clock() - begun)
    return max(median(found[_WARM_UP:]), 1e-9)


def _tried(device: str) -> float | None:
    try:
        return calibrate(device)
    except (RuntimeError, MemoryError, OutOfMemoryError):
        return None  # the run will say what is wrong there
