"""The slices whose outlines come from the user's marks: everything else is followed from them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from DiffusionSegLib.methods.adzus.expected_extent import expected_extent
from DiffusionSegLib.methods.adzus.followed_correction import correct_followed
from DiffusionSegLib.methods.adzus.hints import Hint
from DiffusionSegLib.methods.adzus.plane import Plane
from DiffusionSegLib.methods.adzus.plane_outline import PlaneOutline
from DiffusionSegLib.methods.adzus.slice_following import Follower
from DiffusionSegLib.methods.adzus.slice_stack import SliceStack

__all__ = ["Anchor", "Anchors", "OutlineOf"]

Floats = NDArray[np.float32]
_TRUSTED = 0.75  # of the expected extent: so far what is followed says more than a single mark
_LARGER = 1.25  # people click into the middle first, where a structure is largest
OutlineOf = Callable[[Plane, Sequence[Hint]], PlaneOutline]


@dataclass(frozen=True, eq=False)
class Anchor:
    """hints: in the order in which they were made. outline: (rows, columns) of the canvas, a
    probability; score: of the rule that drew it. corrected: whether it was followed from another
    slice, and then corrected."""

    hints: tuple[Hint, ...]
    outline: Floats
    score: float
    corrected: bool = False


class Anchors:
    """plane: makes a slice ready; follower: one that knows of no exclusion; known: slices whose
    outline is outline_of's, whatever leads there."""

    def __init__(
        self,
        stack: SliceStack,
        plane: Callable[[int], Plane],
        outline_of: OutlineOf,
        follower: Follower,
        known: Collection[int] = (),
    ) -> None:
        self.found: dict[int, Anchor] = {}
        self._stack, self._plane, self._follower = stack, plane, follower
        self._outline_of, self._known = outline_of, known

    def include(self, number: int, hints: Sequence[Hint]) -> None:
        """Outline a slice by its hints; if what was marked before already leads there, the hints
        correct what is followed, as they would correct an outline on one slice."""
        start, plane = self._nearest(number), self._plane(number)
        followed = None
        if start is not None and number not in self._known:
            followed = self._followed(start, number)
        if start is not None and followed is not None:
            outline = correct_followed(plane, followed, hints)
            if self._is_fitting(outline):
                score = self.found[start].score
                self.found[number] = Anchor(tuple(hints), outline, score, corrected=True)
                return
        drawn = self._outline_of(plane, hints)
        self.found[number] = Anchor(tuple(hints), self._not_too_large(drawn), drawn.score)

    def exclude(self, number: int, hints: Sequence[Hint]) -> None:
        """Correct the nearest marked slice if it must be wrong: if what the user excludes lies
        deeper in the outline followed to its slice than a border can move on the way."""
        nearest = self._nearest(number)
        followed = None if nearest is None else self._followed(nearest, number)
        if followed is None or nearest is None:
            return
        depth = ndimage.distance_transform_edt(
            np.pad(followed >= 0.5, 1), sampling=self._pixel_mm(followed)
        )[1:-1, 1:-1]
        way = abs(number - nearest) * self._stack.spacing_mm[0]
        anchor = self.found[nearest]
        wrong = tuple(
            hint
            for hint in hints
            if depth[tuple(hint.pixels.T)].max() > way
            and (anchor.outline[tuple(hint.pixels.T)] >= 0.5).any()
            and not _contradicts(hint, anchor.hints)
        )
        if wrong:
            self.found[nearest] = self._without(nearest, anchor, wrong)

    def _without(self, number: int, anchor: Anchor, wrong: tuple[Hint, ...]) -> Anchor:
        plane, hints = self._plane(number), (*anchor.hints, *wrong)
        if anchor.corrected:
            outline = correct_followed(plane, anchor.outline, hints)
            return replace(anchor, hints=hints, outline=outline)
        drawn = self._outline_of(plane, hints)
        return Anchor(hints, drawn.probability, drawn.score)

    def _not_too_large(self, drawn: PlaneOutline) -> Floats:
        """The outline, or the first candidate that fits the marks before; else the smallest."""
        drawings = [drawn.probability, *(one.mask.astype(np.float32) for one in drawn.candidates)]
        fitting = [one for one in drawings if self._is_fitting(one)]
        return fitting[0] if fitting else min(drawings, key=lambda one: int((one >= 0.5).sum()))

    def _is_fitting(self, outline: Floats) -> bool:
        """Whether it is there, and not much larger than every outline marked before."""
        known = [int((one.outline >= 0.5).sum()) for one in self.found.values()]
        area = int((outline >= 0.5).sum())
        return not known or 0 < area <= _LARGER * max(known)

    def _pixel_mm(self, canvas: Floats) -> tuple[float, float]:
        sides = zip(self._stack.spacing_mm[1:], self._stack.size, canvas.shape, strict=True)
        rows_mm, columns_mm = (mm * n / pixels for mm, n, pixels in sides)
        return rows_mm, columns_mm

    def _nearest(self, number: int) -> int | None:
        return min(self.found, key=lambda one: (abs(one - number), one), default=None)

    def _followed(self, start: int, number: int) -> Floats | None:
        """(rows, columns) of the canvas; None when the object ends before the slice, or the slice
        is so far away that what is followed there says less than the user's mark."""
        outline = self.found[start].outline
        way = abs(number - start) * self._stack.spacing_mm[0]
        if way > _TRUSTED * float(expected_extent(outline >= 0.5, self._pixel_mm(outline)).max()):
            return None
        step = 1 if number > start else -1
        numbers = range(start + step, number + step, step)
        last = None
        for one in self._follower.follow(start, outline, numbers, None):
            last = one
        if last is None or last.probability is None or last.number != number:
            return None
        return last.probability


def _contradicts(hint: Hint, others: Sequence[Hint]) -> bool:
    """Whether any other hint includes one of the pixels."""
    said = {tuple(pixel) for one in others if one.include for pixel in one.pixels.tolist()}
    return any(tuple(pixel) in said for pixel in hint.pixels.tolist())
