"""Outlines that compete: each with its likelihood, and what they say together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Option", "Options"]

_APART = 0.8  # outlines with a higher IoU are one


@dataclass(frozen=True, eq=False)
class Option:
    """outline: (rows, columns) of the canvas; likelihood: its share among all that were weighed."""

    outline: NDArray[np.bool_]
    likelihood: float

    def differs(self, other: Option) -> bool:
        """Whether the two overlap too little to be the same outline to a user."""
        both = int((self.outline & other.outline).sum())
        return both < _APART * max(1, int((self.outline | other.outline).sum()))


@dataclass(frozen=True, eq=False)
class Options:
    """probability: (rows, columns), share of the weighed outlines that hold a pixel; likeliest:
    a few of them that differ, best first."""

    probability: NDArray[np.float32]
    likeliest: tuple[Option, ...]
