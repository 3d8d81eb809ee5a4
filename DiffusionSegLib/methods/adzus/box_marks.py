"""A box in space, as what of every slice's canvas lies in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.methods.adzus.slice_stack import SliceStack
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.prompt import Box

__all__ = ["BoxMarks", "is_within", "mark_box"]

Bools = NDArray[np.bool_]
_ROUNDING_MM = 1e-6


@dataclass(frozen=True, eq=False)
class BoxMarks:
    """masks: (rows, columns) of the canvas for every slice that the box reaches, none empty.
    middle: the one of them nearest to the box's center."""

    masks: Mapping[int, Bools]
    middle: int


def mark_box(
    box: Box,
    stack: SliceStack,
    to_canvas: Callable[[NDArray[Any]], NDArray[Any]],
    canvas_size: tuple[int, int],
) -> BoxMarks:
    """Pixels whose center lies in the box, which may be turned.

    A box that lies between two slices, and any box on an image of one slice, counts on the nearest
    slice as it is cut through its middle. A box between pixels keeps the nearest one. Raises
    PromptError when the box lies outside the image.
    """
    places = _slice_places(stack, to_canvas, canvas_size)
    reached = box.slices_kji(stack.image.geometry)[stack.axis]
    center = stack.to_slice(stack.image.geometry.ras_to_kji([box.center_ras]))[0]
    masks: dict[int, Bools] = {}
    if stack.count > 1:
        for number in range(reached.start, reached.stop):
            mask = _cut(box, stack, places, float(number)).reshape(canvas_size)
            if mask.any():
                masks[number] = mask
    if not masks:
        number = min(max(round(float(center[0])), 0), stack.count - 1)
        mask = _cut(box, stack, places, float(center[0]))
        if not mask.any():
            mask[np.argmin(((places - center[1:]) ** 2).sum(axis=1))] = True
        masks[number] = mask.reshape(canvas_size)
    return BoxMarks(masks, min(masks, key=lambda number: abs(number - center[0])))


def is_within(box: Box, geometry: Geometry, points_kji: NDArray[Any]) -> Bools:
    """(n,): whether each voxel index (n, 3) lies in the box; an image of one slice has no depth."""
    if geometry.shape_kji[0] == 1:
        points_kji = np.array(points_kji, dtype=np.float64)
        points_kji[:, 0] = geometry.ras_to_kji([box.center_ras])[0, 0]
    return box.contains(geometry.kji_to_ras(points_kji), _ROUNDING_MM)


def _cut(box: Box, stack: SliceStack, places: NDArray[np.float64], number: float) -> Bools:
    """(n,): which of the rows and columns (n, 2) of a slice are in the box."""
    return box.contains(stack.image.geometry.kji_to_ras(_kji(stack, places, number)), _ROUNDING_MM)


def _kji(stack: SliceStack, places: NDArray[np.float64], number: float) -> NDArray[np.float64]:
    return np.insert(places, stack.axis, number, axis=1)


def _slice_places(
    stack: SliceStack,
    to_canvas: Callable[[NDArray[Any]], NDArray[Any]],
    canvas_size: tuple[int, int],
) -> NDArray[np.float64]:
    """(pixels, 2): row and column in the slice of the center of every pixel of the canvas."""
    start, end = to_canvas(np.array([[0.0, 0.0], [1.0, 1.0]]))
    pixels = np.indices(canvas_size).reshape(2, -1).T
    return np.asarray((pixels - start) / (end - start), dtype=np.float64)
