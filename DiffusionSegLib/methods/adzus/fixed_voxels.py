"""Voxels that the user decided: no rule changes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.methods.adzus.slice_stack import SliceStack
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Prompt

__all__ = ["Fixed", "edited_voxels", "marked_voxels"]

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Fixed:
    """(slices, rows, columns) of the stack each; no voxel is in both."""

    included: Bools
    excluded: Bools

    def updated(self, later: Fixed) -> Fixed:
        """What was said later counts."""
        return Fixed(
            (self.included & ~later.excluded) | later.included,
            (self.excluded & ~later.included) | later.excluded,
        )

    def put_into(self, probability: NDArray[Any]) -> NDArray[Any]:
        """A copy with 1 and 0 at the voxels."""
        kept = probability.copy()
        kept[self.included], kept[self.excluded] = 1, 0
        return kept


def marked_voxels(prompt: Prompt, stack: SliceStack) -> Fixed:
    """Those of points and strokes."""
    geometry = stack.image.geometry
    marked = np.zeros(geometry.shape_kji, dtype=np.uint8)
    strokes = prompt.scribbles_on(geometry)
    if strokes is not None:
        marked = strokes.copy()
    last = np.array(geometry.shape_kji) - 1
    for point, place in zip(prompt.points, prompt.points_kji(geometry), strict=True):
        marked[tuple(np.clip(np.rint(place).astype(int), 0, last))] = 1 if point.include else 2
    turned = stack.to_stack(marked)
    return Fixed(turned == 1, turned == 2)


def edited_voxels(mask: Mask, original: Mask | None, stack: SliceStack) -> Fixed:
    """Those in which the mask differs from what it was; none when that is not known."""
    geometry = stack.image.geometry
    now = mask.resampled(geometry).array != 0
    before = now if original is None else original.resampled(geometry).array != 0
    return Fixed(stack.to_stack(now & ~before), stack.to_stack(~now & before))
