"""What a method answers: a probability, alternatives, doubt, a verdict, where it came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.nouns.candidate import Candidate
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.label import Label
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.provenance import Provenance
from DiffusionSegLib.nouns.verdict import PresenceVerdict, Verdict

__all__ = ["Proposal"]

_SLAB_VOXELS = 4_000_000


class Proposal:
    """`probability` has one channel in [0, 1] per label, on the original image's grid.

    `uncertainty` is one channel on the same grid; `alternatives` are whole other outlines,
    each with a score and a title, the likeliest first;
    `auxiliary` are images that explain the result (for instance an attention map).

    A method may hand over both on the (coarser) grid it worked on and name the original grid in
    `geometry`: they are then interpolated when first asked for, and `mask` works slab by slab, so
    that an outline of a large volume does not need a probability of the full size.
    """

    def __init__(
        self,
        probability: Image,
        labels: tuple[Label, ...],
        verdict: PresenceVerdict,
        provenance: Provenance,
        uncertainty: Image | None = None,
        alternatives: tuple[Candidate, ...] = (),
        auxiliary: Mapping[str, Image] | None = None,
        geometry: Geometry | None = None,
    ) -> None:
        if len(labels) != len(probability.array):
            raise InputError(
                f"{len(probability.array)} probability channels need as many labels, "
                f"not {len(labels)}."
            )
        self._evidence, self._doubt = probability, uncertainty
        self.labels = tuple(labels)
        self.verdict = verdict
        self.provenance = provenance
        self.alternatives = tuple(alternatives)
        self.auxiliary: Mapping[str, Image] = dict(auxiliary or {})
        self.geometry = geometry or probability.geometry

    @property
    def evidence(self) -> Image:
        """The probability as the method gave it, on the grid it worked on."""
        return self._evidence

    @property
    def doubt(self) -> Image | None:
        """The uncertainty as the method gave it, on the grid it worked on."""
        return self._doubt

    @cached_property
    def probability(self) -> Image:
        """(labels, K, J, I) in [0, 1] on the original grid."""
        return self._evidence.resampled(self.geometry, outside=0.0)

    @cached_property
    def uncertainty(self) -> Image | None:
        """(1, K, J, I), the spread of what was drawn, on the original grid."""
        return None if self._doubt is None else self._doubt.resampled(self.geometry, outside=0.0)

    def mask(self, threshold: float = 0.5) -> Mask:
        """The outline where the probabilities of all labels together reach the threshold.

        A voxel inside takes the most probable label, so no gap opens between two labels.
        Empty when the verdict is NOT_FOUND. Raises InputError unless 0 < threshold <= 1.
        """
        if not 0.0 < threshold <= 1.0:
            raise InputError(f"A threshold lies above 0 and up to 1, not {threshold}.")
        outline = np.zeros(self.geometry.shape_kji, dtype=np.uint8)
        if self.verdict.state is not Verdict.NOT_FOUND:
            values = np.array([label.value for label in self.labels], dtype=np.uint8)
            for start, slab in self._slabs():
                for offset in range(slab.shape[1]):
                    outline[start + offset] = _slice_ji(slab[:, offset], values, threshold)
        dimension = self._evidence.dimension
        return Mask(outline, self.geometry, self.labels, self.provenance, dimension)

    def _slabs(self) -> Iterator[tuple[int, NDArray[np.floating]]]:
        """(first slice, probability of some slices) over the original grid."""
        if "probability" in self.__dict__ or self._evidence.geometry == self.geometry:
            yield 0, self.probability.array
            return
        slices, rows, columns = self.geometry.shape_kji
        thickness = max(1, _SLAB_VOXELS // (rows * columns))
        for start in range(0, slices, thickness):
            part = slice(start, min(start + thickness, slices))
            slab = self.geometry.crop((part, slice(None), slice(None)))
            yield start, self._evidence.resampled(slab, outside=0.0).array


def _slice_ji(
    probability: NDArray[np.floating], values: NDArray[np.uint8], threshold: float
) -> NDArray[np.uint8]:
    # Half floats summed as half floats would lose the last bits that decide at the threshold.
    inside = probability.sum(axis=0, dtype=np.float32) >= threshold
    return np.asarray(np.where(inside, values[probability.argmax(axis=0)], 0), dtype=np.uint8)
