"""An early estimate of a run that is still under way, as something that can be shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.label import label_for
from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegLib.nouns.provenance import Provenance
from DiffusionSegLib.nouns.verdict import PresenceVerdict, Verdict

__all__ = ["estimateOf"]


def estimateOf(probability: Image) -> Proposal:
    """A proposal of (labels, k, j, i) in [0, 1] on the estimate's own grid, without a verdict."""
    image = replace(probability, array=probability.array.astype(np.float32))
    labels = tuple(label_for(number) for number in range(1, len(image.array) + 1))
    return Proposal(image, labels, PresenceVerdict(Verdict.UNCERTAIN, 0.5, ""), Provenance("", ""))
