"""Which slices of a volume to show, and the right way up.

A volume is turned so that its axes run (superior, posterior, left) as closely as its own axes
allow; no voxel is interpolated. A slice is then drawn as radiologists expect: the patient's left
on the right, anterior (or superior) up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.nouns.geometry import Geometry

Scalar = TypeVar("Scalar", bound=np.generic)

PLANE_AXES = {"axial": 0, "coronal": 1, "sagittal": 2}


@dataclass(frozen=True)
class Turned:
    """How to turn a (K, J, I) array to (superior, posterior, left), and its spacing then."""

    order: tuple[int, int, int]
    flipped: tuple[bool, bool, bool]
    spacing_mm: tuple[float, float, float]

    def apply(self, array_kji: NDArray[Scalar]) -> NDArray[Scalar]:
        """A view of the array with axes (superior, posterior, left)."""
        turned = np.transpose(array_kji, self.order)
        steps = tuple(slice(None, None, -1 if flip else 1) for flip in self.flipped)
        return np.asarray(turned[steps])


@dataclass(frozen=True)
class Slice:
    """One slice of a turned volume: rows run down and columns right on the screen."""

    plane: str
    index: int
    spacing_mm: tuple[float, float]

    def of(self, turned: NDArray[Scalar]) -> NDArray[Scalar]:
        """The slice of an array that `Turned.apply` returned."""
        pixels = np.take(turned, self.index, axis=PLANE_AXES.get(self.plane, 0))
        # Superior is the first axis and grows upwards, rows grow downwards.
        return pixels if self.plane in ("axial", "picture") else pixels[::-1]


def turned_to_patient(geometry: Geometry) -> Turned:
    """The turn that brings each voxel axis to the nearest patient axis."""
    direction_lps = np.abs(np.asarray(geometry.direction, dtype=np.float64))
    ijk_of_lps = _assign(direction_lps)
    flipped_lps = [geometry.direction[axis][ijk_of_lps[axis]] < 0 for axis in range(3)]
    spacing_lps = [geometry.spacing_mm[ijk_of_lps[axis]] for axis in range(3)]
    left, posterior, superior = (2 - ijk_of_lps[axis] for axis in range(3))
    return Turned(
        (superior, posterior, left),
        (flipped_lps[2], flipped_lps[1], flipped_lps[0]),
        (spacing_lps[2], spacing_lps[1], spacing_lps[0]),
    )


def _assign(strength: NDArray[np.float64]) -> list[int]:
    """One voxel axis for each patient axis (row), the strongest pairs first."""
    remaining = strength.copy()
    chosen = [0, 0, 0]
    for _ in range(3):
        row, column = np.unravel_index(int(np.argmax(remaining)), remaining.shape)
        chosen[int(row)] = int(column)
        remaining[row, :] = remaining[:, column] = -1.0
    return chosen


def as_drawn(geometry: Geometry) -> Turned:
    """No turn: photographs and single slices are shown as they are stored."""
    i_mm, j_mm, k_mm = geometry.spacing_mm
    return Turned((0, 1, 2), (False, False, False), (k_mm, j_mm, i_mm))


def best_slice(turned: Turned, weight: NDArray[np.generic], plane: str) -> Slice:
    """The slice of `plane` with the largest sum of `weight` (an already turned array).

    Without any weight it is the middle slice. `plane` is axial, coronal, sagittal or picture.
    """
    axis = PLANE_AXES.get(plane, 0)
    others = tuple(other for other in range(3) if other != axis)
    sums = np.asarray(np.sum(weight, axis=others, dtype=np.float64))
    index = int(np.argmax(sums)) if sums.any() else len(sums) // 2
    rows_mm, columns_mm = (turned.spacing_mm[other] for other in others)
    return Slice(plane, index, (rows_mm, columns_mm))
