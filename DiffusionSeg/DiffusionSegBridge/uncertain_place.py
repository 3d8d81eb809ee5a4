"""The place where a result is least sure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.nouns.geometry import Float3
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.proposal import Proposal

__all__ = ["mostUncertainRas"]


def mostUncertainRas(proposal: Proposal) -> Float3 | None:
    """The centre of the doubt in RAS mm; None when the result is sure everywhere.

    Doubt is the spread between what was drawn or, when a method gives none, how near the
    probability is to one half. A single doubtful voxel counts less than a doubtful area.
    """
    image, doubt = _doubt(proposal)
    if not doubt.any():
        return None
    # Times the doubt itself: the place must be doubtful and not only beside one that is.
    place = np.unravel_index(int((doubt * _smoothed(doubt)).argmax()), doubt.shape)
    first, second, third = image.geometry.kji_to_ras(np.array(place, dtype=float))[0]
    return float(first), float(second), float(third)


def _doubt(proposal: Proposal) -> tuple[Image, NDArray[np.float32]]:
    if proposal.doubt is not None:
        return proposal.doubt, np.asarray(proposal.doubt.array[0], np.float32)
    together = proposal.evidence.array.sum(axis=0, dtype=np.float32)
    return proposal.evidence, np.clip(1.0 - np.abs(2.0 * together - 1.0), 0.0, None)


def _smoothed(doubt: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean over three voxels along each axis."""
    for axis in range(3):
        sides = [(1, 1) if other == axis else (0, 0) for other in range(3)]
        padded = np.moveaxis(np.pad(doubt, sides), axis, 0)
        doubt = np.moveaxis((padded[:-2] + padded[1:-1] + padded[2:]) / 3.0, 0, axis)
    return doubt
