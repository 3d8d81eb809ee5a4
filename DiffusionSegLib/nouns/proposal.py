"""What a method answers: a probability, alternatives, doubt, a verdict, where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.label import Label
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.provenance import Provenance
from DiffusionSegLib.nouns.verdict import PresenceVerdict, Verdict

__all__ = ["Proposal"]


@dataclass(frozen=True, eq=False)
class Proposal:
    """`probability` has one channel in [0, 1] per label, on the original image's grid.

    `uncertainty` is one channel on the same grid; `alternatives` are whole other outlines;
    `auxiliary` are images that explain the result (for instance an attention map).
    """

    probability: Image
    labels: tuple[Label, ...]
    verdict: PresenceVerdict
    provenance: Provenance
    uncertainty: Image | None = None
    alternatives: tuple[Mask, ...] = ()
    auxiliary: Mapping[str, Image] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.labels) != len(self.probability.array):
            raise InputError(
                f"{len(self.probability.array)} probability channels need as many labels, "
                f"not {len(self.labels)}."
            )

    def mask(self, threshold: float = 0.5) -> Mask:
        """The outline where the probabilities of all labels together reach the threshold.

        A voxel inside takes the most probable label, so no gap opens between two labels.
        Empty when the verdict is NOT_FOUND. Raises InputError unless 0 < threshold <= 1.
        """
        if not 0.0 < threshold <= 1.0:
            raise InputError(f"A threshold lies above 0 and up to 1, not {threshold}.")
        shape = self.probability.geometry.shape_kji
        outline = np.zeros(shape, dtype=np.uint8)
        if self.verdict.state is not Verdict.NOT_FOUND:
            values = np.array([label.value for label in self.labels], dtype=np.uint8)
            for k in range(shape[0]):
                outline[k] = _slice_ji(self.probability.array[:, k], values, threshold)
        dimension = self.probability.dimension
        return Mask(outline, self.probability.geometry, self.labels, self.provenance, dimension)


def _slice_ji(
    probability: NDArray[np.floating], values: NDArray[np.uint8], threshold: float
) -> NDArray[np.uint8]:
    if len(values) == 1:
        return np.asarray(np.where(probability[0] >= threshold, values[0], 0), dtype=np.uint8)
    # Half floats summed as half floats would lose the last bits that decide at the threshold.
    inside = probability.sum(axis=0, dtype=np.float32) >= threshold
    return np.asarray(np.where(inside, values[probability.argmax(axis=0)], 0), dtype=np.uint8)
