"""A volume's mask made better slice by slice, with what was edited passed on to the neighbors.

What an edit added to its slice, or took from it, is taken for a cut through the middle of a ball:
the masks of the slices beside it that were not edited are changed by the ball's cuts there, before
their own attention and colors decide (our choice).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from DiffusionSegLib.methods.adzus.plane import Plane, resized
from DiffusionSegLib.methods.adzus.refine_rule import refine_plane
from DiffusionSegLib.methods.adzus.slice_stack import SliceStack
from DiffusionSegLib.progress import Progress

__all__ = ["refine_volume"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]
_FARTHEST = 3  # slices that an edit reaches
_BESIDE = 0.2  # weight of each neighbor in a slice that was not edited


def refine_volume(
    stack: SliceStack,
    mask: Bools,
    fixed_in: Bools,
    fixed_out: Bools,
    plane_of: Callable[[int, Progress], Plane],
    progress: Progress,
) -> Floats:
    """(slices, rows, columns) in [0, 1], as mask, fixed_in and fixed_out, which are exact in it.

    plane_of makes the plane of a slice; it is asked for slices that have something to refine.
    Edited slices come first; where a voxel is both fixed_in and fixed_out, fixed_in counts.
    """
    fixed_out = fixed_out & ~fixed_in
    start = (mask | fixed_in) & ~fixed_out
    edited = np.asarray((fixed_in | fixed_out).any(axis=(1, 2)))
    result = np.zeros(mask.shape, dtype=np.float32)
    first = np.flatnonzero(edited)
    second = np.flatnonzero(_near(np.asarray(start.any(axis=(1, 2))) | edited) & ~edited)
    order = [*first.tolist(), *second.tolist()]
    for done, number in enumerate(order):
        if done == len(first):
            start = _passed_on(stack, start, result, edited, fixed_in, fixed_out)
        part = progress.part(done / len(order), (done + 1) / len(order), "Refining slices")
        if start[number].any():
            plane = plane_of(number, part)
            result[number] = _refined(plane, start[number], fixed_in[number], fixed_out[number])
        part.report(1.0)
    result = _consistent(result, edited)
    result[fixed_in], result[fixed_out] = 1.0, 0.0
    return result


def _refined(plane: Plane, mask: Bools, fixed_in: Bools, fixed_out: Bools) -> Floats:
    """(rows, columns) of the slice."""
    size = plane.canvas.size
    marked_in, marked_out = _on_canvas(fixed_in, plane), _on_canvas(fixed_out, plane)
    share = resized(mask[..., None].astype(np.float32), size)[..., 0]
    found = refine_plane(plane, share >= 0.5, marked_in & ~marked_out, marked_out & ~marked_in)
    probability = plane.on_slice(found.probability)
    # Where nothing was changed the mask's own voxels stay, however coarse the canvas is.
    same = plane.on_slice((found.mask != (share >= 0.5)).astype(np.float32)) == 0
    astray = same & ((probability >= 0.5) != mask)
    return np.where(astray, np.where(mask, 0.5, 0.4999), probability).astype(np.float32)


def _on_canvas(fixed: Bools, plane: Plane) -> Bools:
    """Pixels at the fixed voxels, and those that fixed voxels fill."""
    marked = resized(fixed[..., None].astype(np.float32), plane.canvas.size)[..., 0] >= 0.5
    places = np.argwhere(fixed)
    if len(places):
        pixels = np.rint(plane.on_canvas(places.astype(np.float64))).astype(np.int64)
        pixels = pixels.clip(0, np.asarray(plane.canvas.size) - 1)
        marked[tuple(pixels.T)] = True
    return np.asarray(marked)


def _near(chosen: Bools) -> Bools:
    """The slices and their neighbors."""
    return np.asarray(ndimage.binary_dilation(chosen, iterations=_FARTHEST))


def _passed_on(
    stack: SliceStack,
    start: Bools,
    result: Floats,
    edited: Bools,
    fixed_in: Bools,
    fixed_out: Bools,
) -> Bools:
    """The masks with what the edits changed, where a slice was not edited itself."""
    changed = start.copy()
    across_mm, *within_mm = stack.spacing_mm
    for number in np.flatnonzero(edited):
        inside = result[number] >= 0.5
        gained = _touching(inside, fixed_in[number], start[number] & ~fixed_in[number])
        lost = _touching(~inside, fixed_out[number], ~start[number] & ~fixed_out[number])
        for step in range(-_FARTHEST, _FARTHEST + 1):
            other = number + step
            if not 0 <= other < len(start) or edited[other]:
                continue
            changed[other] |= _cut_of_ball(gained, abs(step) * across_mm, within_mm)
            changed[other] &= ~_cut_of_ball(lost, abs(step) * across_mm, within_mm)
    return changed


def _touching(now: Bools, stroke: Bools, before: Bools) -> Bools:
    """The parts of what is new that a stroke lies in."""
    parts, _ = ndimage.label(now & ~before)
    numbers = np.unique(parts[stroke])
    return np.isin(parts, numbers[numbers > 0])


def _cut_of_ball(area: Bools, height_mm: float, spacing_mm: list[float]) -> Bools:
    """What is left of an area at a height above it, if it is the middle of a ball."""
    if not area.any():
        return area
    radius = float(np.sqrt(area.sum() * np.prod(spacing_mm) / np.pi))
    if height_mm >= radius:
        return np.zeros_like(area)
    shrunk = radius - float(np.sqrt(radius**2 - height_mm**2))
    depth = ndimage.distance_transform_edt(np.pad(area, 1), sampling=spacing_mm)[1:-1, 1:-1]
    return np.asarray(depth > shrunk)


def _consistent(result: Floats, edited: Bools) -> Floats:
    """Slices that were not edited move a little towards the mean of their neighbors."""
    if len(result) == 1:
        return result
    before = np.concatenate([result[:1], result[:-1]])
    after = np.concatenate([result[1:], result[-1:]])
    mixed = (1 - 2 * _BESIDE) * result + _BESIDE * (before + after)
    return np.where(edited[:, None, None], result, mixed).astype(np.float32)
