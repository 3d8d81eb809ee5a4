"""A result as it is looked at: a threshold to drag, candidates to choose from, where to doubt."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DiffusionSegBridge.graded_outline import GradedOutline, gradeMask, gradeProposal
from DiffusionSegBridge.near_points import voxelsNear
from DiffusionSegBridge.uncertain_place import uncertainPlacesRas
from DiffusionSegLib.errors import InputError
from DiffusionSegLib.nouns.geometry import Float3, Geometry
from DiffusionSegLib.nouns.label import Label
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.proposal import Proposal

__all__ = ["ShownResult"]


class ShownResult:
    """A Proposal made ready for a slider: one byte a voxel, where there is anything to show.

    volumeNode: the image that was outlined; only its ID is kept. Thresholds are rounded to 1/200
    and move the main outline only; `candidate` 1, 2, ... are the proposal's alternatives. outline:
    of the proposal, when it was graded already.
    """

    def __init__(
        self, proposal: Proposal, volumeNode: Any, outline: GradedOutline | None = None
    ) -> None:
        self.proposal = proposal
        self.volumeNodeId: str = volumeNode.GetID()
        self.geometry: Geometry = proposal.geometry
        self._candidate = 0
        self._near: NDArray[np.bool_] | None = None
        self._elsewhere: NDArray[np.uint8] | None = None
        self._painted: tuple[NDArray[np.bool_], NDArray[np.uint8]] | None = None
        self._graded: dict[int, GradedOutline] = {
            0: gradeProposal(proposal) if outline is None else outline
        }
        self._guarded: dict[int, GradedOutline] = {}
        self._uncertain: deque[Float3] | None = None

    @property
    def labels(self) -> tuple[Label, ...]:
        """What the outline may hold."""
        return self.proposal.labels

    @property
    def candidateCount(self) -> int:
        """The main outline and the alternatives."""
        return 1 + len(self.proposal.alternatives)

    @property
    def candidate(self) -> int:
        """Which of them is shown; 0 is the main outline."""
        return self._candidate

    @candidate.setter
    def candidate(self, index: int) -> None:
        if not 0 <= index < self.candidateCount:
            raise InputError(f"There are {self.candidateCount} candidates, no number {index + 1}.")
        self._candidate = index

    @property
    def outline(self) -> GradedOutline:
        """The chosen candidate, with what is kept of the mask before."""
        found = self._guarded.get(self._candidate)
        if found is None:
            found = self._guard(self._candidateOutline())
            self._guarded[self._candidate] = found
        return found

    def mask(self, threshold: float) -> NDArray[np.uint8]:
        """Label values (k, j, i) of the chosen candidate on the whole grid."""
        whole = np.zeros(self.geometry.shape_kji, np.uint8)
        self.outline.write(threshold, whole)
        return whole

    def limitTo(
        self, points_ras: Sequence[Float3], radius_mm: float, before: Mask | None = None
    ) -> None:
        """From now on the outline differs from ``before`` (None: empty) only near the points.

        Without points nothing is limited.
        """
        self._guarded = {}
        self._near = self._elsewhere = None
        if points_ras:
            self._near = voxelsNear(points_ras, radius_mm, self.geometry)
            self._elsewhere = self._onGrid(before)

    def keepPainted(self, edited: Mask, original: Mask) -> None:
        """Voxels in which the two masks differ are the user's: they stay as in ``edited``."""
        self._guarded = {}
        now = self._onGrid(edited)
        self._painted = (now != self._onGrid(original), now)

    def isEmpty(self, threshold: float) -> bool:
        """Whether the chosen candidate has no voxel."""
        return self.outline.count(threshold) == 0

    def count(self, threshold: float, value: int | None = None) -> int:
        """Voxels of one label (None: of all together); costs no pass over voxels."""
        return self.outline.count(threshold, value)

    def nextUncertainRas(self) -> Float3 | None:
        """Where the result is least sure, in RAS mm; asked again, the next such place, and after
        the last the first. None when it is sure everywhere."""
        if self._uncertain is None:
            self._uncertain = deque(uncertainPlacesRas(self.proposal))
        if not self._uncertain:
            return None
        self._uncertain.rotate(-1)
        return self._uncertain[-1]

    def _candidateOutline(self) -> GradedOutline:
        if self._candidate not in self._graded:
            mask = self.proposal.alternatives[self._candidate - 1].mask.resampled(self.geometry)
            self._graded[self._candidate] = gradeMask(mask)
        return self._graded[self._candidate]

    def _guard(self, outline: GradedOutline) -> GradedOutline:
        shape = self.geometry.shape_kji
        if self._near is not None and self._elsewhere is not None:
            outline = outline.keeping(~self._near, self._elsewhere, shape)
        if self._painted is not None:
            outline = outline.keeping(*self._painted, shape)
        return outline

    def _onGrid(self, mask: Mask | None) -> NDArray[np.uint8]:
        if mask is None:
            return np.zeros(self.geometry.shape_kji, np.uint8)
        return mask.resampled(self.geometry).array
