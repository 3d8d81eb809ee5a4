"""What a rule finds in one slice."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["PlaneCandidate", "PlaneOutline"]


@dataclass(frozen=True, eq=False)
class PlaneCandidate:
    """mask: (rows, columns) of the canvas; score in [0, 1]; title: for the user."""

    mask: NDArray[np.bool_]
    score: float
    title: str


@dataclass(frozen=True, eq=False)
class PlaneOutline:
    """probability: (rows, columns) of the canvas, in [0, 1]; the outline is at 0.5.

    score in [0, 1]: how sure the rule is that this is a thing of its own. rule: in words, for
    the provenance. candidates: other outlines, best first.
    """

    probability: NDArray[np.float32]
    score: float
    rule: str
    candidates: tuple[PlaneCandidate, ...] = field(default=())

    @property
    def mask(self) -> NDArray[np.bool_]:
        """(rows, columns) of the canvas."""
        return np.asarray(self.probability >= 0.5)
