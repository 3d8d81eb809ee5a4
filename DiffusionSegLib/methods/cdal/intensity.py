"""Maps stored intensities to the [-1, 1] that the networks expect, one affine map per channel.

Limits are found once per image (the expensive, prompt-free part) and applied window by window, so
that a large volume is never copied as a whole.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MOST_SAMPLES = 2_000_000  # voxels looked at for a percentile
_LEAST_CONTRAST = 1e-30  # of a constant channel, in stored units
_SINGLE = 1e18  # beyond, products in single precision overflow or vanish


@dataclass(frozen=True)
class IntensityRule:
    """How a channel's limits are found.

    kind: "window" (low, high in stored units, for instance HU), "percentile" (low, high in percent
    of this channel's voxels) or "joint" (percentiles over all channels together, for colour).
    """

    kind: str
    low: float
    high: float

    def __post_init__(self) -> None:
        if self.kind not in ("window", "percentile", "joint"):
            raise ValueError(
                f"intensity kind must be window, percentile or joint, got {self.kind!r}"
            )
        if not -math.inf < self.low < self.high < math.inf:
            raise ValueError(f"intensity low must be below high, got {self.low} and {self.high}")
        if self.kind != "window" and not 0.0 <= self.low < self.high <= 100.0:
            raise ValueError(
                f"intensity percentiles lie in 0 to 100, got {self.low} and {self.high}"
            )

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> IntensityRule:
        """Read from a model card."""
        return IntensityRule(str(values["kind"]), float(values["low"]), float(values["high"]))


@dataclass(frozen=True)
class IntensityMap:
    """Found limits: low and high of every channel, in stored units."""

    limits: tuple[tuple[float, float], ...]

    @staticmethod
    def fit(array: NDArray[Any], rules: Sequence[IntensityRule]) -> IntensityMap:
        """array: (channels, K, J, I); one rule per channel."""
        sparse = array[(slice(None), *_stride(array.shape[1:]))]
        if sparse.dtype == np.bool_:
            sparse = sparse.astype(np.uint8)  # truth values have no percentiles
        limits = []
        for channel, rule in enumerate(rules):
            if rule.kind == "window":
                limits.append((rule.low, rule.high))
                continue
            values = sparse if rule.kind == "joint" else sparse[channel]
            low, high = np.percentile(values, [rule.low, rule.high])
            least = max(1e-6 * abs(low), _LEAST_CONTRAST)
            limits.append((float(low), float(max(high, low + least))))
        return IntensityMap(tuple(limits))

    def apply(self, array: NDArray[Any]) -> NDArray[np.float32]:
        """(channels, ...) to float32 in [-1, 1]; values beyond the limits are clipped."""
        out = np.empty(array.shape, np.float32)
        for channel, (low, high) in enumerate(self.limits):
            if not 1.0 / _SINGLE < high - low < _SINGLE:
                # The unit is so small or large that single precision would lose the picture.
                wide = array[channel].astype(np.float64) - low
                out[channel] = np.clip(wide * (2.0 / (high - low)) - 1.0, -1.0, 1.0)
                continue
            np.subtract(array[channel], low, out=out[channel], dtype=np.float32, casting="unsafe")
            out[channel] *= 2.0 / (high - low)
            out[channel] -= 1.0
        return np.clip(out, -1.0, 1.0, out=out)


def _stride(shape: Sequence[int]) -> tuple[slice, ...]:
    """Regular subsampling that keeps at most about _MOST_SAMPLES voxels."""
    step = max(1, round((np.prod([float(s) for s in shape]) / _MOST_SAMPLES) ** (1 / 3)))
    return tuple(slice(None, None, step if size > step else 1) for size in shape)
