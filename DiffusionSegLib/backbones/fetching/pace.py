"""Whether bytes come fast enough to go on waiting for them."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

from DiffusionSegLib.backbones.fetching.space import shown_bytes
from DiffusionSegLib.errors import InputError

__all__ = ["SLOWEST", "LowestPace", "Pace"]

SLOWEST = "DIFFUSIONSEG_SLOWEST"  # bytes in a second


@dataclass(frozen=True)
class LowestPace:
    """bytes_s: a connection that brings fewer bytes in a second, on average over window_s seconds
    of waiting, is given up; 0 waits as long as anything comes. 1 kB over a minute is our choice:
    at that pace the smallest of the models on the hub would take more than a week."""

    bytes_s: float = 1000.0
    window_s: float = 60.0

    @staticmethod
    def of_environment() -> LowestPace:
        """With the bytes in a second of DIFFUSIONSEG_SLOWEST; raises InputError."""
        told = os.environ.get(SLOWEST, "").strip()
        if not told:
            return LowestPace()
        try:
            pace = float(told)
        except ValueError:
            pace = math.nan
        if not 0.0 <= pace < math.inf:
            raise InputError(
                f"{SLOWEST} is the fewest bytes in a second that a download may bring, a number "
                f"from 0 up, not {told!r}; correct it, or unset it for {LowestPace().bytes_s:.0f}."
            )
        return LowestPace(pace)

    def is_reached(self, count: int, seconds: float) -> bool:
        """Whether so many bytes in so many seconds are enough; none at all never are."""
        return count > self.bytes_s * seconds

    @property
    def words(self) -> str:
        """What is said of a server that stays below."""
        return (
            f"fewer than {shown_bytes(round(self.bytes_s))} a second came; on a slow line set "
            f"{SLOWEST} to a lower number"
        )


class Pace:
    """Of one connection: the bytes of the current window, and the time they were waited for."""

    def __init__(self, lowest: LowestPace) -> None:
        self._lowest, self._count, self._waited_s = lowest, 0, 0.0

    def is_too_slow(self, count: int, waited_s: float) -> bool:
        """After so many more bytes, which were waited for so long: whether a window has ended that
        brought too few. Time in which nobody waits, while a slow disk writes, does not count."""
        self._count += count
        self._waited_s += waited_s
        if self._waited_s < self._lowest.window_s:
            return False
        slow = self._count < self._lowest.bytes_s * self._waited_s
        self._count, self._waited_s = 0, 0.0
        return slow
