"""The outline of a slice from the outline of its neighbor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from DiffusionSegLib.methods.adzus.hints import Hint, disc_hint
from DiffusionSegLib.methods.adzus.plane import Plane
from DiffusionSegLib.methods.adzus.plane_outline import PlaneOutline
from DiffusionSegLib.methods.adzus.slice_matching import match_slice
from DiffusionSegLib.methods.adzus.slice_memory import SliceMemory
from DiffusionSegLib.methods.adzus.slice_reach import SliceReach

__all__ = ["FollowedSlice", "OutlineOf", "follow_slice"]

Floats = NDArray[np.float32]
OutlineOf = Callable[[Plane, Sequence[Hint]], PlaneOutline]
_TRUST = 0.5  # of the slice's own outline against what was matched
_BACKGROUND = 0.1  # at most so probable where an excluding hint is put


@dataclass(frozen=True, eq=False)
class FollowedSlice:
    """probability: (rows, columns) of the canvas; match: how well the object was found again;
    agreement: of the slice's own outline with what was matched; both in [0, 1]."""

    probability: Floats
    match: float
    agreement: float


def follow_slice(
    plane: Plane,
    memories: Sequence[SliceMemory],
    previous: Floats,
    own: Sequence[Hint],
    reach: SliceReach,
    outline_of: OutlineOf,
) -> FollowedSlice:
    """previous: (rows, columns) of the canvas, probability in the neighbor that is known. own:
    hints that the user gave on this slice."""
    match = match_slice(memories, plane.attention, reach.places)
    limit = reach.limit(previous >= 0.5)
    matched = plane.enlarge(match.share.numpy()) * limit
    hints = matched_hints(matched, limit)
    if not hints:
        return FollowedSlice(np.zeros_like(matched), match.score, 0.0)
    drawn, agreement = _agreeing(outline_of(plane, [*hints, *own]), matched)
    trust = _TRUST * agreement
    probability = limit * ((1 - trust) * matched + trust * drawn)
    return FollowedSlice(probability.astype(np.float32), match.score, agreement)


def matched_hints(matched: Floats, limit: Floats) -> list[Hint]:
    """A click into the deepest point of what was matched; none where nothing was."""
    core = matched >= 0.5
    if not core.any():
        return []
    depth = ndimage.distance_transform_edt(np.pad(core, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return [disc_hint(float(row), float(column), (core.shape[0], core.shape[1]), True)]


def _agreeing(found: PlaneOutline, matched: Floats) -> tuple[Floats, float]:
    """Of the outline and the other candidates the one nearest to what was matched, by Dice."""
    drawn = [found.probability, *(one.mask.astype(np.float32) for one in found.candidates)]
    scores = [_soft_dice(one, matched) for one in drawn]
    best = int(np.argmax(scores))
    return drawn[best], scores[best]


def _soft_dice(first: Floats, second: Floats) -> float:
    return float(2 * (first * second).sum() / max(float((first + second).sum()), 1e-6))
