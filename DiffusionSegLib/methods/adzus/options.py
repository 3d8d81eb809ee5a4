"""Outlines that compete: each with its likelihood, and what they say together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

__all__ = ["Option", "Options", "different"]

_APART = 0.8  # outlines with a higher IoU are one


@dataclass(frozen=True, eq=False)
class Option:
    """outline: (rows, columns) of the canvas; likelihood: its share among all that were weighed."""

    outline: NDArray[np.bool_]
    likelihood: float

    def differs(self, other: Option) -> bool:
        """Whether the two overlap too little to be the same outline to a user."""
        both = int(np.count_nonzero(self.outline & other.outline))
        return both < _APART * max(1, self._area + other._area - both)

    @cached_property
    def _area(self) -> int:
        return int(np.count_nonzero(self.outline))


@dataclass(frozen=True, eq=False)
class Options:
    """probability: (rows, columns), share of the weighed outlines that hold a pixel; likeliest:
    a few of them that differ, best first."""

    probability: NDArray[np.float32]
    likeliest: tuple[Option, ...]


def different(ranked: Iterable[Option], most: int) -> tuple[Option, ...]:
    """The first ``most`` of them that differ from all before."""
    found: list[Option] = []
    for option in ranked:
        if len(found) == most:
            break
        if all(option.differs(one) for one in found):
            found.append(option)
    return tuple(found)
