"""What a prompt marks in every slice: clicks and strokes as hints, boxes as where to stay."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from DiffusionSegLib.errors import PromptError
from DiffusionSegLib.methods.adzus.box_marks import BoxMarks, is_within, mark_box
from DiffusionSegLib.methods.adzus.hints import Hint, disc_hint
from DiffusionSegLib.methods.adzus.slice_stack import SliceStack
from DiffusionSegLib.methods.mark_places import refuse_contradictions, shown_place
from DiffusionSegLib.nouns.prompt import Point, Prompt

__all__ = ["Marks", "ToCanvas", "marks_of"]

Bools = NDArray[np.bool_]
ToCanvas = Callable[[NDArray[Any]], NDArray[Any]]
_INCLUDE, _EXCLUDE = 1, 2
_MOST_PIXELS = 400  # of a stroke's hint; more tell nothing new and cost time
_TOUCHING = np.ones((3, 3), dtype=bool)


@dataclass(frozen=True, eq=False)
class Marks:
    """hints: of every marked slice, points in the prompt's order and then strokes;
    slices in that order too. boxes: of every
    slice that a box reaches, (rows, columns) of the canvas where the outline may be; boxes that
    overlap are joined. box_middles: for every box the slice through its middle, where an outline
    of it starts."""

    hints: Mapping[int, tuple[Hint, ...]]
    boxes: Mapping[int, Bools]
    box_middles: tuple[int, ...] = field(default=())


def marks_of(
    prompt: Prompt, stack: SliceStack, to_canvas: ToCanvas, canvas_size: tuple[int, int]
) -> Marks:
    """What a prompt says, slice by slice; a point between two slices counts on the nearest.

    to_canvas: (n, 2) rows and columns of the canvas, of those of a slice; each axis is scaled and
    shifted by itself. canvas_size: rows and columns. Every connected part (corners touch) of the
    strokes in a slice is one hint of at most 400 pixels.

    Raises PromptError for points outside the image, for strokes that miss the image, for a voxel
    that is both included and excluded, and for an included point or stroke outside every box.
    """
    points_kji = prompt.points_kji(stack.image.geometry)
    strokes = _strokes(prompt, stack)
    refuse_contradictions(prompt.points, points_kji)
    if strokes is not None:
        _refuse_contradicting_strokes(prompt.points, points_kji, strokes)
    _refuse_outside(prompt, stack, points_kji, strokes)
    hints: dict[int, list[Hint]] = {}
    places = stack.to_slice(points_kji)
    for point, (number, *place) in zip(prompt.points, places, strict=True):
        row, column = to_canvas(np.array([place]))[0]
        hint = disc_hint(float(row), float(column), canvas_size, point.include)
        hints.setdefault(_nearest(number, stack.count), []).append(hint)
    if strokes is not None:
        for number in np.flatnonzero(stack.to_stack(strokes).any(axis=(1, 2))):
            found = _stroke_hints(stack.to_stack(strokes)[number], to_canvas, canvas_size)
            hints.setdefault(int(number), []).extend(found)
    boxes = [mark_box(box, stack, to_canvas, canvas_size) for box in prompt.boxes]
    marked = {number: tuple(some) for number, some in hints.items()}
    return Marks(marked, _joined(boxes), tuple(box.middle for box in boxes))


def _strokes(prompt: Prompt, stack: SliceStack) -> NDArray[np.uint8] | None:
    """(k, j, i), or None when there are none."""
    strokes = prompt.scribbles_on(stack.image.geometry)
    if strokes is None or prompt.scribbles is None or prompt.scribbles.is_empty:
        return None
    if not strokes.any():
        count = int(np.count_nonzero(prompt.scribbles.array))
        raise PromptError(
            f"None of the {count} painted voxels lies on a voxel of the image; paint the strokes "
            "inside the image."
        )
    return strokes


def _stroke_hints(
    strokes: NDArray[np.uint8], to_canvas: ToCanvas, size: tuple[int, int]
) -> list[Hint]:
    found = []
    for kind in (_INCLUDE, _EXCLUDE):
        parts, count = ndimage.label(strokes == kind, structure=_TOUCHING)
        for number in range(1, count + 1):
            pixels = np.rint(to_canvas(np.argwhere(parts == number))).astype(np.int64)
            pixels = np.unique(pixels.clip(0, np.asarray(size) - 1), axis=0)
            found.append(Hint(_thinned(pixels), kind == _INCLUDE, is_click=False))
    return found


def _thinned(pixels: NDArray[np.int64]) -> NDArray[np.int64]:
    """At most 400 of them, evenly over their order."""
    if len(pixels) <= _MOST_PIXELS:
        return pixels
    return pixels[np.linspace(0, len(pixels) - 1, _MOST_PIXELS).round().astype(np.int64)]


def _joined(boxes: Sequence[BoxMarks]) -> dict[int, Bools]:
    joined: dict[int, Bools] = {}
    for box in boxes:
        for number, mask in box.masks.items():
            joined[number] = joined[number] | mask if number in joined else mask
    return {number: joined[number] for number in sorted(joined)}


def _refuse_contradicting_strokes(
    points: Sequence[Point], points_kji: NDArray[np.float64], strokes: NDArray[np.uint8]
) -> None:
    last = np.asarray(strokes.shape) - 1
    for point, voxel in zip(points, np.rint(points_kji).astype(int).clip(0, last), strict=True):
        if strokes[tuple(voxel)] == (_EXCLUDE if point.include else _INCLUDE):
            kinds = ("includes", "excludes") if point.include else ("excludes", "includes")
            raise PromptError(
                f"The point at {shown_place(point.position_ras)} {kinds[0]} a voxel that a stroke "
                f"{kinds[1]}; remove the point or erase the stroke there."
            )


def _refuse_outside(
    prompt: Prompt,
    stack: SliceStack,
    points_kji: NDArray[np.float64],
    strokes: NDArray[np.uint8] | None,
) -> None:
    """What is included has to lie in a box, when there is one."""
    if not prompt.boxes:
        return
    geometry = stack.image.geometry
    for point, place in zip(prompt.points, points_kji, strict=True):
        both = np.stack([place, np.rint(place)])
        if point.include and not any(is_within(box, geometry, both).any() for box in prompt.boxes):
            raise PromptError(
                f"The point at {shown_place(point.position_ras)} is included but lies outside "
                "every box; enlarge a box or remove the point."
            )
    if strokes is None:
        return
    parts, _ = ndimage.label(strokes == _INCLUDE, structure=np.ones((3, 3, 3)))
    voxels = np.argwhere(parts)
    inside = np.zeros(len(voxels), dtype=bool)
    for box in prompt.boxes:
        inside |= is_within(box, geometry, voxels)
    numbers = parts[tuple(voxels.T)]
    lost = np.setdiff1d(numbers, numbers[inside])
    if len(lost):
        count = int((numbers == lost[0]).sum())
        raise PromptError(
            f"A stroke of {count} included voxels lies outside every box; enlarge a box or erase "
            "the stroke."
        )


def _nearest(number: float, count: int) -> int:
    return min(max(int(np.floor(number + 0.5)), 0), count - 1)
