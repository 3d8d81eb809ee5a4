"""The user's clicks, strokes and boxes on the slices of the backbone's grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.errors import PromptError
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.prompt import Box, Prompt

__all__ = ["GridMarks", "grid_marks"]

Bools = NDArray[np.bool_]
_INCLUDE, _EXCLUDE = 1, 2
_CLICK_SHARE = 0.015  # radius of a click, of the longer side of a slice


@dataclass(frozen=True)
class GridMarks:
    """(slices, rows, columns) bool each, on the grid. allowed: inside a box, all without boxes."""

    included: Bools
    excluded: Bools
    allowed: Bools
    boxed: bool

    @property
    def is_empty(self) -> bool:
        """Whether nothing says where the object is."""
        return not (self.boxed or bool(self.included.any()))

    def padded_to(self, shape: tuple[int, ...]) -> GridMarks:
        """On a picture that has voxels added at the ends of its axes; nothing is there."""
        add = [(0, new - old) for new, old in zip(shape, self.included.shape, strict=True)]
        included, excluded = np.pad(self.included, add), np.pad(self.excluded, add)
        allowed = np.pad(self.allowed, add, constant_values=not self.boxed)
        return GridMarks(included, excluded, allowed, self.boxed)

    def slices(self) -> list[int]:
        """Those in which something was included; without any, those in the middle of boxes."""
        marked = np.flatnonzero(self.included.any(axis=(1, 2)))
        if len(marked):
            return [int(number) for number in marked]
        inside = np.flatnonzero(self.allowed.any(axis=(1, 2)))
        return [int(inside[len(inside) // 2])] if self.boxed and len(inside) else []


def grid_marks(prompt: Prompt, source: Geometry, grid: Geometry) -> GridMarks:
    """source: of the region as it was stored, on which strokes were painted.

    Raises PromptError for points, boxes and strokes outside the region that is looked at.
    """
    included, excluded = np.zeros(grid.shape_kji, bool), np.zeros(grid.shape_kji, bool)
    strokes = prompt.scribbles_on(source)
    if strokes is not None and prompt.scribbles is not None and not prompt.scribbles.is_empty:
        if not strokes.any():
            raise PromptError(
                "The strokes lie outside the image or the region that is looked at; paint inside."
            )
        for value, marked in ((_INCLUDE, included), (_EXCLUDE, excluded)):
            _put(marked, source.kji_to_ras(np.argwhere(strokes == value)), grid)
    radius = max(1, round(_CLICK_SHARE * max(grid.shape_kji[1:])))
    prompt.points_kji(source)  # refuses those outside
    for point in prompt.points:
        place = grid.ras_to_kji(np.array([point.position_ras]))[0]
        _put_disc(included if point.include else excluded, place, radius)
    excluded &= ~included
    return GridMarks(included, excluded, _allowed(prompt.boxes, source, grid), bool(prompt.boxes))


def _put(marked: Bools, positions_ras: NDArray[np.float64], grid: Geometry) -> None:
    if len(positions_ras):
        marked[_nearest(grid.ras_to_kji(positions_ras), grid)] = True


def _put_disc(marked: Bools, place_kji: NDArray[np.float64], radius: int) -> None:
    k, j, i = (int(n) for n in np.clip(np.rint(place_kji), 0, np.array(marked.shape) - 1))
    rows = np.arange(marked.shape[1])[:, None] - j
    columns = np.arange(marked.shape[2])[None] - i
    marked[k] |= rows**2 + columns**2 <= radius**2


def _nearest(places: NDArray[np.float64], grid: Geometry) -> tuple[NDArray[np.intp], ...]:
    last = np.array(grid.shape_kji) - 1
    return tuple(np.clip(np.rint(places), 0, last).astype(np.intp).T)


def _allowed(boxes: tuple[Box, ...], source: Geometry, grid: Geometry) -> Bools:
    allowed = np.full(grid.shape_kji, not boxes)
    for box in boxes:
        box.slices_kji(source)  # refuses one outside
        part = box.slices_kji(grid)
        indices = np.stack(
            np.meshgrid(*[np.arange(s.start, s.stop) for s in part], indexing="ij"), -1
        )
        positions = grid.kji_to_ras(indices.reshape(-1, 3))
        if grid.shape_kji[0] == 1:
            allowed[part] = True
            continue
        inside = box.contains(positions, 1e-6).reshape(indices.shape[:3])
        allowed[part] |= inside
        if not inside.any():
            allowed[part] = True  # a box thinner than a voxel still means the voxels it lies in
    return allowed
