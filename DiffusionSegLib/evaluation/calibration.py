"""Whether a probability of 0.7 is right seven times in ten: reliability, ECE, Brier score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.errors import InputError

BINS = 15


@dataclass(frozen=True)
class Calibration:
    """Counts per bin of foreground probability; counts of several images add up with `+`.

    Bin b of 15 holds probabilities in [b/15, (b+1)/15), the last one also 1.
    """

    counts: tuple[int, ...] = (0,) * BINS
    confidence_sums: tuple[float, ...] = (0.0,) * BINS
    truth_sums: tuple[float, ...] = (0.0,) * BINS
    squared_error_sum: float = 0.0

    def __add__(self, other: Calibration) -> Calibration:
        return Calibration(
            tuple(a + b for a, b in zip(self.counts, other.counts, strict=True)),
            tuple(a + b for a, b in zip(self.confidence_sums, other.confidence_sums, strict=True)),
            tuple(a + b for a, b in zip(self.truth_sums, other.truth_sums, strict=True)),
            self.squared_error_sum + other.squared_error_sum,
        )

    @property
    def total(self) -> int:
        """Number of voxels counted."""
        return sum(self.counts)

    @property
    def ece(self) -> float:
        """Expected calibration error: mean |confidence − frequency|, weighted by voxels.

        In [0, 1]; NaN without voxels. (Naeini et al. 2015, Guo et al. 2017.)
        """
        if self.total == 0:
            return float("nan")
        gaps = zip(self.confidence_sums, self.truth_sums, strict=True)
        return sum(abs(confidence - truth) for confidence, truth in gaps) / self.total

    @property
    def brier(self) -> float:
        """Mean squared difference between probability and truth; NaN without voxels."""
        return self.squared_error_sum / self.total if self.total else float("nan")

    def table(self) -> list[dict[str, float]]:
        """One row per bin that holds voxels: its range, mean probability, frequency, voxels."""
        return [
            {
                "from": b / BINS,
                "to": (b + 1) / BINS,
                "mean_probability": self.confidence_sums[b] / count,
                "frequency": self.truth_sums[b] / count,
                "voxels": count,
            }
            for b, count in enumerate(self.counts)
            if count
        ]


def calibration_of(probability: NDArray[np.floating], truth: NDArray[np.bool_]) -> Calibration:
    """Counts every voxel of one image; both arrays have the same shape."""
    if probability.shape != truth.shape:
        raise InputError(
            f"The probability has shape {probability.shape} but the truth {truth.shape}; "
            "compare them on the same grid."
        )
    confidence = np.asarray(probability, dtype=np.float32).ravel()
    target = truth.ravel()
    bins = np.clip((confidence * BINS).astype(np.int64), 0, BINS - 1)
    return Calibration(
        tuple(int(n) for n in np.bincount(bins, minlength=BINS)),
        tuple(float(x) for x in np.bincount(bins, weights=confidence, minlength=BINS)),
        tuple(float(x) for x in np.bincount(bins, weights=target, minlength=BINS)),
        float(np.square(confidence - target, dtype=np.float64).sum()),
    )
