"""Follows an object from an outlined slice to one side, slice by slice, until it is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.methods.adzus.followed_slice import FollowedSlice, OutlineOf, follow_slice
from DiffusionSegLib.methods.adzus.hints import Hint
from DiffusionSegLib.methods.adzus.plane import Plane
from DiffusionSegLib.methods.adzus.slice_memory import SliceMemory, remember_slice
from DiffusionSegLib.methods.adzus.slice_reach import reach_of
from DiffusionSegLib.methods.adzus.slice_stack import SliceStack

__all__ = ["Follower", "Step"]

Floats = NDArray[np.float32]
_LOWEST_MATCH = 0.5
_SMALLEST = 0.15  # of the area one slice before: less is not a structure that tapers off


@dataclass(frozen=True, eq=False)
class Step:
    """probability: (rows, columns) of the slice, in [0, 1]; None where the object was lost, and
    reason says why."""

    number: int
    probability: Floats | None
    match: float
    reason: str = ""


@dataclass(frozen=True)
class Follower:
    """plane_of: makes or takes a slice ready; outline_of: answers hints on one slice; excluding:
    hints of slices where the user only excluded."""

    stack: SliceStack
    plane_of: Callable[[int], Plane]
    outline_of: OutlineOf
    excluding: Mapping[int, Sequence[Hint]]

    def follow(self, start: int, outline: Floats, numbers: Sequence[int]) -> Iterator[Step]:
        """Slices in order, beside ``start`` and away from it, whose outline on the canvas is given.

        Ends with a step without an outline when the object is lost.
        """
        plane = self.plane_of(start)
        reach = reach_of(self.stack, plane.canvas.size, plane.attention.grid)
        first = remember_slice(start, plane, outline)
        memories: list[SliceMemory] = [first]
        previous = outline
        for number in numbers:
            plane = self.plane_of(number)
            own = self.excluding.get(number, ())
            found = follow_slice(plane, memories, previous, own, reach, self.outline_of)
            reason = why_lost(found, previous, own)
            if reason:
                yield Step(number, None, found.match, reason)
                return
            yield Step(number, plane.on_slice(found.probability), found.match)
            previous = found.probability
            memories = [first, remember_slice(number, plane, previous)]


def why_lost(found: FollowedSlice, previous: Floats, own: Sequence[Hint]) -> str:
    """Empty while the object is there; otherwise the reason, to stand after "slice 12: "."""
    mask = found.probability >= 0.5
    if found.match < _LOWEST_MATCH:
        return f"only {found.match:.0%} of the object matches"
    if mask.sum() < max(_SMALLEST * (previous >= 0.5).sum(), 1):
        return "the outline vanishes"
    for hint in own:
        rows, columns = hint.pixels.T
        if not hint.include and bool(mask[rows, columns].any()):
            return "excluded by the user"
    return ""
