"""Makes one body of outlined slices: gaps filled, smooth across slices, parts without a click left
out. Works in place, slice by slice, so that a large volume needs little more than its result."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["fill_gap", "keep_clicked", "smooth_slices"]

Stack = NDArray[Any]
Floats = NDArray[np.float32]


def fill_gap(stack: Stack, before: int, after: int, pixel_mm: tuple[float, float]) -> None:
    """Outline the slices between two outlined ones by shape-based interpolation.

    Raya and Udupa (IEEE Trans. Med. Imaging 9(1), 1990): signed distances to the two outlines are
    interpolated. stack: (slices, rows, columns), probabilities; pixel_mm: of rows and columns.
    """
    if after - before < 2:
        return
    first, last = (_depth(stack[n], pixel_mm) for n in (before, after))
    soft = max(pixel_mm)
    for number in range(before + 1, after):
        share = (number - before) / (after - before)
        depth = (1 - share) * first + share * last
        stack[number] = 1.0 / (1.0 + np.exp(-np.clip(depth / soft * 4, -30, 30)))


def _depth(probability: NDArray[Any], pixel_mm: tuple[float, float]) -> Floats:
    """In mm, above 0 inside the outline and below outside."""
    inside = np.asarray(probability) >= 0.5
    into = ndimage.distance_transform_edt(inside, sampling=pixel_mm)
    away = ndimage.distance_transform_edt(~inside, sampling=pixel_mm)
    half = min(pixel_mm) / 2
    return np.asarray(np.where(inside, into - half, half - away), dtype=np.float32)


def smooth_slices(
    stack: Stack, first: int, last: int, weight: float, kept: Collection[int] = ()
) -> None:
    """Each slice from first to last becomes a mean with its neighbors there, of the given weight in
    [0, 1/3]; slices of ``kept``, which the user marked, stay."""
    before: Floats | None = None
    for number in range(first, last + 1):
        here = stack[number].astype(np.float32)
        after = stack[number + 1].astype(np.float32) if number < last else None
        around = [one for one in (before, after) if one is not None]
        if number not in kept:
            stack[number] = here * (1 - weight * len(around)) + sum(
                (weight * one for one in around), np.zeros_like(here)
            )
        before = here


def keep_clicked(stack: Stack, first: int, last: int, clicked: Sequence[NDArray[Any]]) -> None:
    """Set to 0 every connected part of the outline (across faces) that no click is in.

    clicked: (n, 3) slice, row, column of pixels that belong. When no part holds any, the largest
    part stays, so that an outline is never lost by this step.
    """
    block = stack[first : last + 1]
    labels, count = ndimage.label(np.asarray(block) >= 0.5)
    if count < 2:
        return
    places = np.concatenate([np.asarray(one).reshape(-1, 3) for one in clicked]).astype(np.int64)
    places = places[(places[:, 0] >= first) & (places[:, 0] <= last)] - (first, 0, 0)
    held = np.unique(labels[tuple(places.T)])
    held = held[held > 0]
    if not len(held):
        held = np.array([1 + int(np.argmax(np.bincount(labels.ravel())[1:]))])
    for number in range(len(block)):
        lost = (labels[number] > 0) & ~np.isin(labels[number], held)
        block[number][lost] = 0
