"""Which value of the known outline is compared with which label of the method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.nouns.label import Label


@dataclass(frozen=True)
class LabelPair:
    """One comparison: a name, the value in the prediction, the values in the truth.

    Without `truth_values` everything but background is the object (pictures store 1 or 255).
    """

    name: str
    predicted_value: int
    truth_values: tuple[int, ...] = ()

    def predicted(self, mask: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Where the prediction has this label."""
        return np.asarray(mask == self.predicted_value)

    def true(self, mask: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Where the truth has this label."""
        return np.isin(mask, self.truth_values or range(1, 256))


def label_pairs(labels: Sequence[Label], truth_values: Sequence[int] = ()) -> tuple[LabelPair, ...]:
    """The comparisons for a method with these labels.

    One label: the truth's `truth_values` together (everything but background when none is
    given). Several: value by value, the i-th given truth value with the i-th label.
    """
    if len(labels) == 1:
        return (LabelPair(labels[0].name, labels[0].value, tuple(truth_values)),)
    if not truth_values:
        return tuple(LabelPair(label.name, label.value, (label.value,)) for label in labels)
    if len(truth_values) != len(labels):
        names = ", ".join(label.name for label in labels)
        raise InputError(
            f"{len(truth_values)} label values were given for {len(labels)} labels ({names}); "
            "give one value per label, in this order."
        )
    return tuple(
        LabelPair(label.name, label.value, (value,))
        for label, value in zip(labels, truth_values, strict=True)
    )
