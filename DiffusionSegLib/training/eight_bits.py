"""How images of every kind become pictures of 8 bits for a packed file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

__all__ = ["LONGEST_SIDE", "eight_bits", "fitted"]

LONGEST_SIDE = 256


def eight_bits(rule: Mapping[str, Any], array: NDArray[Any]) -> NDArray[np.uint8]:
    """As stored where the rule is empty, else what lies between its limits.

    rule: {"kind": "window" or "percentile", "low", "high"}, or {} for 8 or 16 bits as stored.
    """
    if not rule:
        stored = array.astype(np.float32) / (257 if array.dtype == np.uint16 else 1)
        return np.round(stored).astype(np.uint8)
    limits = (rule["low"], rule["high"])
    low, high = limits if rule["kind"] == "window" else np.percentile(array, limits)
    unit = (array.astype(np.float32) - low) / max(high - low, 1e-6)
    return np.round(np.clip(unit, 0, 1) * 255).astype(np.uint8)


def fitted(pixels: NDArray[np.uint8], longest: int = LONGEST_SIDE) -> Tensor:
    """(channels, rows, columns) uint8: made smaller, with what lies between averaged, when a side
    is too long."""
    tensor = torch.from_numpy(pixels)
    largest = max(tensor.shape[1:])
    if largest <= longest:
        return tensor
    size = [max(1, round(side * longest / largest)) for side in tensor.shape[1:]]
    smaller = F.interpolate(tensor[None].float(), size, mode="bilinear", antialias=True)[0]
    return smaller.round().clamp(0, 255).to(torch.uint8)
