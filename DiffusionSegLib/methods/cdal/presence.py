"""Whether the object is in the image at all. The paper has no such answer; this is our choice.

The score is the mean probability inside the outline, lowered when the samples disagree about the
object's size and when the outline is smaller than anything the model was shown. The card's limits
are found on the validation part: ``absent`` lets through few images without the object,
``found`` marks what is as certain as nearly all true ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.nouns.verdict import PresenceVerdict, Verdict


@dataclass(frozen=True)
class PresenceLimits:
    """Scores below ``absent`` mean NOT_FOUND, from ``found`` on FOUND; smallest: outline in voxels
    of the model's grid (at most this small counts against presence)."""

    absent: float = 0.3
    found: float = 0.6
    smallest: float = 1.0

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> PresenceLimits:
        """Read from a model card."""
        return PresenceLimits(*(float(values[name]) for name in ("absent", "found", "smallest")))


@dataclass
class PresenceEvidence:
    """Sums over slabs. voxels: in the outline; probability: summed there; agreement: of sizes."""

    voxels: float = 0.0
    probability: float = 0.0
    agreement: float = 1.0

    def add(self, mean: NDArray[np.float32], agreement: float) -> None:
        """mean: (labels, ...) probability of one slab."""
        total = np.minimum(mean.sum(axis=0), 1.0)
        inside = total >= 0.5
        count = float(inside.sum())
        if count:
            share = count / (self.voxels + count)
            self.agreement = (1 - share) * self.agreement + share * agreement
        self.voxels += count
        self.probability += float(total[inside].sum())

    def score(self, limits: PresenceLimits) -> float:
        """In [0, 1]."""
        if self.voxels == 0:
            return 0.0
        size = min(1.0, self.voxels / max(limits.smallest, 1e-6))
        certainty = self.probability / self.voxels
        return float(np.clip(certainty * np.sqrt(self.agreement) * size, 0, 1))


def verdict_of(evidence: PresenceEvidence, limits: PresenceLimits, target: str) -> PresenceVerdict:
    """The answer in words."""
    score = evidence.score(limits)
    if evidence.voxels == 0:
        reason = f"This image does not seem to show {target}."
        return PresenceVerdict(Verdict.NOT_FOUND, 0.0, reason)
    if score < limits.absent:
        reason = f"What was drawn is too small or too unsure to be {target}."
        return PresenceVerdict(Verdict.NOT_FOUND, score, reason)
    if score < limits.found:
        reason = f"This may be {target}, but the samples disagree or are unsure; check the outline."
        return PresenceVerdict(Verdict.UNCERTAIN, score, reason)
    return PresenceVerdict(Verdict.FOUND, score, f"The samples agree on where {target} is.")
