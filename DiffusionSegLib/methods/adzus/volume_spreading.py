"""The state of a volume while marks spread over its slices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.methods.adzus.followed_slice import OutlineOf
from DiffusionSegLib.methods.adzus.hints import Hint
from DiffusionSegLib.methods.adzus.plane import Plane
from DiffusionSegLib.methods.adzus.slice_following import Follower
from DiffusionSegLib.methods.adzus.slice_stack import SliceStack
from DiffusionSegLib.methods.adzus.volume_filling import fill_gap, keep_clicked, smooth_slices
from DiffusionSegLib.methods.adzus.volume_outline import VolumeOutline
from DiffusionSegLib.progress import Progress

__all__ = ["Spreading"]

Floats = NDArray[np.float32]
_SMOOTHING = 0.2  # of each neighboring slice, a choice of ours


class Spreading:
    """probability: (slices, rows, columns), float16; pages of slices that are never reached take no
    memory."""

    def __init__(
        self,
        stack: SliceStack,
        marked: Mapping[int, Sequence[Hint]],
        plane_of: Callable[[int, Progress], Plane],
        outline_of: OutlineOf,
        progress: Progress,
        reach: int | None,
    ) -> None:
        self.probability = np.zeros((stack.count, *stack.size), dtype=np.float16)
        self._stack, self._marked = stack, marked
        self._plane_of, self._outline_of = plane_of, outline_of
        self._progress = progress
        self._reach = stack.count if reach is None else max(0, reach)
        self._outlines: dict[int, Floats] = {}
        self._scores: list[float] = []
        self._matches: list[float] = []
        self._reached: set[int] = set()
        self._reasons = ["", ""]
        self._done = 0

    def mark(self, included: Sequence[int]) -> None:
        """Outline the slices with marks that include, by these marks alone."""
        for number in included:
            plane = self._ready(number)
            found = self._outline_of(plane, self._marked[number])
            self._outlines[number] = found.probability
            self._scores.append(found.score)
            self.probability[number] = plane.on_slice(found.probability)
            self._reached.add(number)

    def spread(self, included: Sequence[int]) -> None:
        """Follow to both ends, and between marked slices from both sides."""
        self._reasons[0] = self._outward(included[0], -1)
        for before, after in pairwise(included):
            self._between(before, after)
        self._reasons[1] = self._outward(included[-1], 1)

    def fill(self, included: Sequence[int]) -> None:
        """Fill what both sides missed, smooth, leave parts without a click out."""
        rows, columns = self._stack.spacing_mm[1:]
        for before, after in pairwise(included):
            known = [n for n in range(before, after + 1) if n in self._reached]
            for one, other in pairwise(known):
                self._progress.check()
                if not self._is_cut(one, other):
                    fill_gap(self.probability, one, other, (rows, columns))
        smooth_slices(self.probability, self._first, self._last, _SMOOTHING, set(included))
        self._progress.check()
        keep_clicked(self.probability, self._first, self._last, self._clicked(included))

    def outline(self, included: Sequence[int]) -> VolumeOutline:
        """What was found."""
        match = float(np.mean(self._matches)) if self._matches else 1.0
        followed = len(self._reached) - len(included)
        rule = (
            f"followed over {followed} slices from {len(included)} marked by matching features "
            f"and attention (mean match {match:.2f})"
        )
        low, high = self._reasons
        score = float(np.mean(self._scores)) * match
        return VolumeOutline(
            self.probability, self._first, self._last, (low, high), match, score, rule
        )

    @property
    def _first(self) -> int:
        return min(self._reached)

    @property
    def _last(self) -> int:
        return max(self._reached)

    def _outward(self, start: int, step: int) -> str:
        end = self._stack.count if step > 0 else -1
        numbers = range(start + step, end, step)[: self._reach]
        for one in self._follower().follow(start, self._outlines[start], numbers):
            if one.probability is None:
                return f"slice {one.number}: {one.reason}"
            self._take(one.number, one.probability, one.match)
        return "the end of the volume" if len(numbers) < self._reach else "the reach that was set"

    def _between(self, before: int, after: int) -> None:
        for start, numbers in (
            (before, range(before + 1, after)[: self._reach]),
            (after, range(after - 1, before, -1)[: self._reach]),
        ):
            for one in self._follower().follow(start, self._outlines[start], numbers):
                if one.probability is None:
                    break
                weight = 1 - abs(one.number - start) / (after - before)
                if one.number in self._reached:
                    earlier = self.probability[one.number].astype(np.float32)
                    mixed = weight * one.probability + (1 - weight) * earlier
                else:
                    mixed = one.probability
                self._take(one.number, mixed, one.match)

    def _take(self, number: int, probability: Floats, match: float) -> None:
        self.probability[number] = probability
        self._reached.add(number)
        self._matches.append(match)

    def _follower(self) -> Follower:
        excluding = {
            number: hints
            for number, hints in self._marked.items()
            if not any(hint.include for hint in hints)
        }
        return Follower(self._stack, self._ready, self._outline_of, excluding)

    def _ready(self, number: int) -> Plane:
        """Reports before each slice; how many there will be is not known before."""
        total = 2 * self._stack.count
        start, end = (min((self._done + n) / total, 1.0) for n in (0, 1))
        self._done += 1
        self._progress.report(start, f"slice {number + 1} of {self._stack.count}")
        return self._plane_of(number, self._progress.part(start, end))

    def _is_cut(self, before: int, after: int) -> bool:
        return any(before < n < after for n in self._follower().excluding)

    def _clicked(self, included: Sequence[int]) -> list[NDArray[np.int64]]:
        """Where the user included: (n, 3) slice, row, column."""
        found = []
        for number in included:
            plane_size = self._outlines[number].shape
            scale = np.asarray(self._stack.size) / np.asarray(plane_size)
            for hint in self._marked[number]:
                if hint.include:
                    places = ((hint.pixels + 0.5) * scale).astype(np.int64)
                    places = np.minimum(places, np.asarray(self._stack.size) - 1)
                    found.append(np.insert(places, 0, number, axis=1))
        return found
