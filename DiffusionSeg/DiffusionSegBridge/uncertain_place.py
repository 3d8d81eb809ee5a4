"""The places where a result is least sure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.nouns.geometry import Float3
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.proposal import Proposal

__all__ = ["uncertainPlacesRas"]

_MOST_PLACES = 5
_LEAST_SHARE = 0.25  # of the greatest doubt; less is not worth a look


def uncertainPlacesRas(proposal: Proposal) -> list[Float3]:
    """Centres of doubtful areas in RAS mm, the most doubtful first; empty when all is sure.

    Doubt is the spread between what was drawn or, when a method gives none, how near the
    probability is to one half. A single doubtful voxel counts less than a doubtful area. At most
    five, and no two of them near each other.
    """
    image, doubt = _doubt(proposal)
    # Times the doubt itself: the place must be doubtful and not only beside one that is.
    weight = doubt * _smoothed(doubt)
    least = _LEAST_SHARE * float(weight.max(initial=0.0))
    places: list[Float3] = []
    while len(places) < _MOST_PLACES and weight.max(initial=0.0) > max(least, 0.0):
        place_kji = np.unravel_index(int(weight.argmax()), weight.shape)
        first, second, third = image.geometry.kji_to_ras(np.array(place_kji, dtype=float))[0]
        places.append((float(first), float(second), float(third)))
        weight[_around(place_kji, weight.shape)] = 0.0
    return places


def _around(place_kji: tuple[np.intp, ...], shape: tuple[int, ...]) -> tuple[slice, ...]:
    """A block around a place: a quarter of the grid along each axis, three voxels at least."""
    reach = [max(1, count // 8) for count in shape]
    return tuple(
        slice(max(int(at) - far, 0), int(at) + far + 1)
        for at, far in zip(place_kji, reach, strict=True)
    )


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
