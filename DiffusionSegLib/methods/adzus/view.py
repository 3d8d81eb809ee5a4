"""The part of a slice that is looked at: all of it, or a window around the marks in a huge one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.methods.adzus.pass_sides import LARGEST_WHOLE
from DiffusionSegLib.methods.adzus.plane import canvas_size

__all__ = ["LARGEST_WHOLE", "View", "view_around", "whole_view"]


@dataclass(frozen=True)
class View:
    """top, left, rows and columns in the slice. A window's network pass, canvas and memory are
    those of a slice of its size, however large the slice is."""

    top: int
    left: int
    rows: int
    columns: int

    @property
    def canvas_size(self) -> tuple[int, int]:
        """Rows and columns of its canvas."""
        return canvas_size((self.rows, self.columns))

    @property
    def to_canvas(self) -> Callable[[NDArray[Any]], NDArray[Any]]:
        """From (n, 2) rows and columns of the slice to those of the canvas."""
        scale = np.asarray(self.canvas_size) / np.array([self.rows, self.columns])
        origin = np.array([self.top, self.left])
        return lambda places: (np.asarray(places, dtype=np.float64) - origin + 0.5) * scale - 0.5

    @property
    def is_usual(self) -> bool:
        """Whether it is small enough to be looked at whole."""
        return max(self.rows, self.columns) <= LARGEST_WHOLE

    def cut(self, slice_crc: NDArray[Any]) -> NDArray[Any]:
        """(channels, rows, columns) of the view, of a whole slice's."""
        return slice_crc[:, self.top : self.top + self.rows, self.left : self.left + self.columns]

    def paste(self, values: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
        """(rows, columns) of a slice of that size, 0 outside the view."""
        if values.shape == size:
            return values
        whole = np.zeros(size, dtype=np.float32)
        whole[self.top : self.top + self.rows, self.left : self.left + self.columns] = values
        return whole


def whole_view(size: tuple[int, int]) -> View:
    """All of a slice of that size (rows, columns)."""
    return View(0, 0, *size)


def view_around(places: NDArray[Any], size: tuple[int, int]) -> View:
    """Of a huge slice a window that holds all places (n, 2) (rows, columns) with room around them,
    1024 pixels wide or as wide as they need; a slice of usual size is seen whole."""
    if max(size) <= LARGEST_WHOLE or len(places) == 0:
        return whole_view(size)
    spans = []
    for axis, side in enumerate(size):
        low, high = float(places[:, axis].min()), float(places[:, axis].max())
        width = min(side, max(LARGEST_WHOLE, round(2 * (high - low))))
        start = round((low + high) / 2 - width / 2)
        spans.append((min(max(start, 0), side - width), width))
    (top, rows), (left, columns) = spans
    return View(top, left, rows, columns)
