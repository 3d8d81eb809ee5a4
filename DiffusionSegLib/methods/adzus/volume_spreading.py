"""The state of a volume while marks spread over its slices."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, MutableMapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.methods.adzus.followed_correction import correct_followed
from DiffusionSegLib.methods.adzus.hints import Hint
from DiffusionSegLib.methods.adzus.plane import Plane, resized
from DiffusionSegLib.methods.adzus.slice_following import EXCLUDED, Follower
from DiffusionSegLib.methods.adzus.slice_sight import SliceSight, see_slice
from DiffusionSegLib.methods.adzus.slice_stack import SliceStack
from DiffusionSegLib.methods.adzus.volume_anchors import Anchor, Anchors, OutlineOf
from DiffusionSegLib.progress import Progress

__all__ = ["PlaneOf", "Spreading", "includes"]

Floats = NDArray[np.float32]
PlaneOf = Callable[[int, Progress], Plane]
# Of the way to the mark that excludes: the user clicks into what is too much, not where it begins.
_BEFORE_EXCLUDED = 0.75


class Spreading:
    """probability: (slices, rows, columns), float16; slices that are never reached take no memory.
    reached: their numbers. anchors: the slices with marks that include. matches: of the followed
    slices. reasons: why it ends on both sides.
    """

    def __init__(
        self,
        stack: SliceStack,
        marked: Mapping[int, Sequence[Hint]],
        plane_of: PlaneOf,
        outline_of: OutlineOf,
        seen: MutableMapping[int, SliceSight],
        progress: Progress,
        reach: int | None,
        known: Collection[int] = (),
    ) -> None:
        self.probability = np.zeros((stack.count, *stack.size), dtype=np.float16)
        self.reached: set[int] = set()
        self.matches: list[float] = []
        self.reasons = ["", ""]
        self._stack, self._marked = stack, marked
        self._plane_of, self._seen = plane_of, seen
        self._progress, self._done = progress, 0
        self._reach = stack.count if reach is None else max(0, reach)
        self.excluding = {number: hints for number, hints in marked.items() if not includes(hints)}
        self._follower = Follower(stack, self._sight, self.excluding, self._cut)
        free = Follower(stack, self._sight, {}, self._cut)
        self._anchors = Anchors(stack, self._plane, outline_of, free, known)

    @property
    def anchors(self) -> Mapping[int, Anchor]:
        """By number of the slice."""
        return self._anchors.found

    def mark(self) -> None:
        """Outline the marked slices, in the order of the marks, from the first that includes."""
        first = next(number for number, hints in self._marked.items() if includes(hints))
        self._anchors.include(first, self._marked[first])
        for number, hints in self._marked.items():
            if number != first and includes(hints):
                self._anchors.include(number, hints)
            elif number != first:
                self._anchors.exclude(number, hints)

    def spread(self) -> None:
        """Follow to both ends, and between marked slices from both sides."""
        for number, anchor in self.anchors.items():
            self._put(number, anchor.outline)
        included = sorted(self.anchors)
        self.reasons[0] = self._outward(included[0], -1)
        for before, after in pairwise(included):
            self._between(before, after)
        self.reasons[1] = self._outward(included[-1], 1)

    def _outward(self, start: int, step: int) -> str:
        end = self._stack.count if step > 0 else -1
        numbers = range(start + step, end, step)[: self._reach]
        reason, stopped = self._run(start, numbers, None)
        if EXCLUDED in reason:
            for number in range(start + step, stopped, step):
                self._forget(number)
            between = abs(stopped - start) * self._stack.spacing_mm[0]
            self._run(start, numbers[: abs(stopped - start) - 1], _BEFORE_EXCLUDED * between)
        return reason

    def _run(
        self, start: int, numbers: Sequence[int], farthest_mm: float | None
    ) -> tuple[str, int]:
        """Why it ends, and at which slice."""
        for one in self._follower.follow(start, self.anchors[start].outline, numbers, farthest_mm):
            if one.probability is None:
                return f"Slice {one.number + 1}: {one.reason}.", one.number
            self._put(one.number, one.probability)
            self.matches.append(one.match)
        return "", -1

    def _between(self, before: int, after: int) -> None:
        """The marks say that the structure goes on, so that only the match can end it."""
        for start, numbers in (
            (before, range(before + 1, after)[: self._reach]),
            (after, range(after - 1, before, -1)[: self._reach]),
        ):
            outline = self.anchors[start].outline
            for one in self._follower.follow(start, outline, numbers, float("inf")):
                if one.probability is None:
                    break
                mixed = on_slice(one.probability, self._stack.size)
                if one.number in self.reached:
                    weight = 1 - abs(one.number - start) / (after - before)
                    earlier = self.probability[one.number].astype(np.float32)
                    mixed = weight * mixed + (1 - weight) * earlier
                self.probability[one.number] = mixed
                self.reached.add(one.number)
                self.matches.append(one.match)

    def _put(self, number: int, canvas: Floats) -> None:
        self.probability[number] = on_slice(canvas, self._stack.size)
        self.reached.add(number)

    def _forget(self, number: int) -> None:
        self.probability[number] = 0
        self.reached.discard(number)

    def _sight(self, number: int) -> SliceSight:
        self._progress.check()
        if number not in self._seen:
            self._seen[number] = see_slice(self._plane(number))
        return self._seen[number]

    def _plane(self, number: int) -> Plane:
        """Reports before each slice; how many there will be is not known before."""
        total = self._stack.count + len(self._marked)
        start, end = (min((self._done + n) / total, 1.0) for n in (0, 1))
        self._done += 1
        self._progress.report(start, f"Slice {number + 1} of {self._stack.count}")
        return self._plane_of(number, self._progress.part(start, end))

    def _cut(self, number: int, followed: Floats, hints: Sequence[Hint]) -> Floats:
        return correct_followed(self._plane(number), followed, hints)


def includes(hints: Sequence[Hint]) -> bool:
    """Whether any hint says that something belongs."""
    return any(hint.include for hint in hints)


def on_slice(canvas: Floats, size: tuple[int, int]) -> Floats:
    """(*size) of (rows, columns) of the canvas."""
    return resized(canvas[..., None], size)[..., 0]
