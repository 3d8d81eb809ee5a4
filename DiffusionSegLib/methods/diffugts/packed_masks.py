"""Many masks of one shape, a bit a pixel: those of a slice's regions are kept for every slice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["PackedMasks"]

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class PackedMasks:
    """Takes an eighth of what the masks do."""

    _bits: NDArray[np.uint8]
    _shape: tuple[int, ...]

    @staticmethod
    def of(masks: Bools) -> PackedMasks:
        """masks: (n, ...), n may be 0."""
        flat = masks.reshape(len(masks), int(np.prod(masks.shape[1:])))
        return PackedMasks(np.packbits(flat, axis=1), masks.shape)

    def __len__(self) -> int:
        return self._shape[0]

    def masks(self) -> Bools:
        """As they were, made anew."""
        size = int(np.prod(self._shape[1:]))
        return np.unpackbits(self._bits, axis=1, count=size).reshape(self._shape).view(np.bool_)
