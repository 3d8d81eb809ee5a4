"""Follows an object from an outlined slice to one side, slice by slice, until it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from DiffusionSegLib.methods.adzus.expected_extent import expected_extent
from DiffusionSegLib.methods.adzus.hints import Hint
from DiffusionSegLib.methods.adzus.slice_matching import SliceMatch, match_slices
from DiffusionSegLib.methods.adzus.slice_sight import SliceSight, resampled
from DiffusionSegLib.methods.adzus.slice_stack import SliceStack

__all__ = ["EXCLUDED", "Follower", "Step"]

Floats = NDArray[np.float32]
LOWEST_MATCH = 0.5  # of the object that must be found again; a net: true neighbors have 0.9
_CHANGE = 15.0  # units of L*a*b*: where a place looks so different, the way counts twice
_ENDLESS_MM = 1e6
_WHOLE = 0.5  # of the largest depth: a mark that excludes so deep a pixel means all of the slice
EXCLUDED = "the user excluded it there"
_VANISHED = "the outline vanishes"


@dataclass(frozen=True, eq=False)
class Step:
    """probability: (rows, columns) of the canvas; None where the object ended, and reason says why.
    match: how much of the object was found again, in [0, 1]."""

    number: int
    probability: Floats | None
    match: float
    reason: str = ""


@dataclass(frozen=True)
class Follower:
    """sight_of: looks at a slice; excluding: hints of slices where the user only excluded; cut:
    takes what they mean out of an outline (slice, its probability on the canvas, hints)."""

    stack: SliceStack
    sight_of: Callable[[int], SliceSight]
    excluding: Mapping[int, Sequence[Hint]]
    cut: Callable[[int, Floats, Sequence[Hint]], Floats]

    def follow(
        self, start: int, outline: Floats, numbers: Sequence[int], farthest_mm: float | None
    ) -> Iterator[Step]:
        """Slices in order, beside ``start`` and away from it, whose outline on the canvas is given.

        Ends with a step without an outline where the object ends. farthest_mm: the object ends
        there at the latest; infinite where it is known to go on.
        """
        before = self.sight_of(start)
        between, way = self._between(before)
        state = self._state(outline, before, farthest_mm)
        for number in numbers:
            here = self.sight_of(number)
            match = match_slices(before, here, way)
            score = match.found_again(state[0] >= 0.5)
            state, canvas = self._moved(match, state, between, here)
            followed = canvas
            canvas, reason = self._checked(number, followed, score)
            if reason:
                yield Step(number, None, score, reason)
                return
            yield Step(number, canvas, score)
            if canvas is not followed:
                state[0] = torch.minimum(state[0], _to(canvas, here.size))
            before = here

    def _between(self, sight: SliceSight) -> tuple[float, float]:
        """mm between slices, and how many places that is within one."""
        between, *within = self.stack.spacing_mm
        sides = zip(within, self.stack.size, sight.size, strict=True)
        return between, between / float(np.mean([mm * n / places for mm, n, places in sides]))

    def _state(self, outline: Floats, sight: SliceSight, farthest_mm: float | None) -> Tensor:
        """(5, rows, columns) of the matching grid: share of the object, mm that are left, and the
        color (L*a*b*) that it had where it was marked."""
        sides = zip(self.stack.spacing_mm[1:], self.stack.size, sight.canvas, strict=True)
        rows_mm, columns_mm = (mm * n / pixels for mm, n, pixels in sides)
        extent = expected_extent(outline >= 0.5, (rows_mm, columns_mm))
        if farthest_mm is not None and np.isinf(farthest_mm):
            extent = np.full_like(extent, _ENDLESS_MM)
        elif farthest_mm is not None and extent.max() > farthest_mm:
            extent *= farthest_mm / extent.max()
        marked = torch.stack([_to(outline, sight.size), _to(extent, sight.size)])
        return torch.cat([marked, sight.color])

    def _moved(
        self, match: SliceMatch, state: Tensor, between: float, here: SliceSight
    ) -> tuple[Tensor, Floats]:
        """The state one slice on, and the probability on the canvas."""
        state = match.carried(state)
        changed = (state[2:] - here.color).square().sum(0)
        state[1] -= between * (1 + changed / _CHANGE**2)
        share, left = resampled(state[:2], here.canvas).numpy()
        ended = np.minimum(share, 0.49 * np.exp(np.minimum(left, 0.0) / between))
        return state, np.where(left >= 0, share, ended).astype(np.float32)

    def _checked(self, number: int, canvas: Floats, score: float) -> tuple[Floats, str]:
        """The outline without what the user excluded, and why the object ended if it did."""
        if score < LOWEST_MATCH:
            return canvas, f"only {score:.0%} of the structure is found again"
        mask = canvas >= 0.5
        if not mask.any():
            return canvas, _VANISHED
        hints = self.excluding.get(number, ())
        hit = [hint for hint in hints if mask[tuple(hint.pixels.T)].any()]
        if not hit:
            return canvas, ""
        depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
        deepest = max(float(depth[tuple(hint.pixels.T)].max()) for hint in hit)
        if deepest >= _WHOLE * depth.max():
            return canvas, EXCLUDED
        canvas = self.cut(number, canvas, hints)
        return canvas, "" if (canvas >= 0.5).any() else EXCLUDED


def _to(values: Floats, size: tuple[int, int]) -> Tensor:
    return resampled(torch.from_numpy(np.ascontiguousarray(values))[None], size)[0]
