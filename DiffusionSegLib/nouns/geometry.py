"""Where a grid of voxels lies in the patient: shape, spacing, origin, direction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from DiffusionSegLib.errors import GeometryError

__all__ = ["IDENTITY_DIRECTION", "Direction", "Float3", "Geometry", "as_direction"]

Float3 = tuple[float, float, float]
Direction = tuple[Float3, Float3, Float3]

IDENTITY_DIRECTION: Direction = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))

# RAS (Slicer, NIfTI) and LPS (DICOM, ITK) differ by the sign of the first two axes.
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_SMALLEST_DETERMINANT = 1e-4
_MOST_VOXELS = 2**31


@dataclass(frozen=True)
class Geometry:
    """A grid in space.

    `shape_kji` counts voxels (slices, rows, columns); `spacing_mm` is along (i, j, k);
    `origin_lps` is the centre of voxel (0, 0, 0) in mm; the COLUMNS of `direction` are the unit
    vectors of the i, j, k axes in LPS. Left-handed and sheared directions are allowed.
    Raises GeometryError for a spacing that is not positive and for a singular direction.
    """

    shape_kji: tuple[int, int, int]
    spacing_mm: Float3 = (1.0, 1.0, 1.0)
    origin_lps: Float3 = (0.0, 0.0, 0.0)
    direction: Direction = IDENTITY_DIRECTION

    def __post_init__(self) -> None:
        shape = tuple(int(count) for count in self.shape_kji)
        if len(shape) != 3 or min(shape) < 1:
            raise GeometryError(f"An image needs at least one voxel along each axis, not {shape}.")
        object.__setattr__(self, "shape_kji", shape)
        object.__setattr__(self, "spacing_mm", _checked_spacing(self.spacing_mm))
        object.__setattr__(self, "origin_lps", _finite_triple("origin", self.origin_lps))
        object.__setattr__(self, "direction", _checked_direction(self.direction))

    @classmethod
    def from_ijk_to_lps(cls, shape_kji: Sequence[int], ijk_to_lps: ArrayLike) -> Geometry:
        """The geometry of a 4x4 matrix from voxel (i, j, k) to LPS mm."""
        matrix = np.asarray(ijk_to_lps, dtype=np.float64)
        axes = matrix[:3, :3]
        spacing = np.sqrt((axes**2).sum(axis=0))
        _checked_spacing(spacing)
        return cls(
            _triple_of_int(shape_kji),
            _triple(spacing),
            _triple(matrix[:3, 3]),
            as_direction(axes / spacing),
        )

    @classmethod
    def from_ijk_to_ras(cls, shape_kji: Sequence[int], ijk_to_ras: ArrayLike) -> Geometry:
        """The geometry of a 4x4 matrix from voxel (i, j, k) to RAS mm."""
        return cls.from_ijk_to_lps(shape_kji, _LPS_TO_RAS @ np.asarray(ijk_to_ras, np.float64))

    @cached_property
    def ijk_to_lps(self) -> NDArray[np.float64]:
        """4x4, voxel (i, j, k) to LPS mm."""
        matrix = np.eye(4)
        matrix[:3, :3] = np.asarray(self.direction) * np.asarray(self.spacing_mm)
        matrix[:3, 3] = self.origin_lps
        matrix.flags.writeable = False
        return matrix

    @cached_property
    def lps_to_ijk(self) -> NDArray[np.float64]:
        """4x4, LPS mm to continuous voxel (i, j, k)."""
        return _read_only(np.linalg.inv(self.ijk_to_lps))

    @cached_property
    def ijk_to_ras(self) -> NDArray[np.float64]:
        """4x4, voxel (i, j, k) to RAS mm."""
        return _read_only(_LPS_TO_RAS @ self.ijk_to_lps)

    @cached_property
    def ras_to_ijk(self) -> NDArray[np.float64]:
        """4x4, RAS mm to continuous voxel (i, j, k)."""
        return _read_only(self.lps_to_ijk @ _LPS_TO_RAS)

    @property
    def voxel_volume_mm3(self) -> float:
        """Volume of one voxel; sheared voxels are accounted for."""
        return float(abs(np.linalg.det(self.ijk_to_lps[:3, :3])))

    @property
    def voxel_count(self) -> int:
        """Number of voxels."""
        return math.prod(self.shape_kji)

    @property
    def is_right_handed(self) -> bool:
        """Whether i, j, k turn like right, anterior, superior."""
        return bool(np.linalg.det(self.ijk_to_lps[:3, :3]) > 0)

    def ras_to_kji(self, points_ras: ArrayLike) -> NDArray[np.float64]:
        """Continuous voxel indices (N, 3) in (k, j, i) order of RAS points (N, 3) in mm."""
        return _transform(self.ras_to_ijk, points_ras)[:, ::-1]

    def kji_to_ras(self, points_kji: ArrayLike) -> NDArray[np.float64]:
        """RAS positions (N, 3) in mm of (continuous) voxel indices (N, 3) in (k, j, i) order."""
        return _transform(self.ijk_to_ras, np.atleast_2d(np.asarray(points_kji, float))[:, ::-1])

    def contains_ras(self, points_ras: ArrayLike) -> NDArray[np.bool_]:
        """Whether each RAS point (N, 3) lies inside the grid, voxel borders included."""
        points_kji = self.ras_to_kji(points_ras)
        # A point on the border may be a rounding error outside it.
        low, high = -0.5 - 1e-6, np.asarray(self.shape_kji) - 0.5 + 1e-6
        return np.asarray(((points_kji >= low) & (points_kji <= high)).all(axis=1))

    def corners_ras(self) -> NDArray[np.float64]:
        """The 8 outer corners (8, 3) of the grid in RAS mm; voxel borders, not centres."""
        ends = [(-0.5, count - 0.5) for count in self.shape_kji]
        grid = np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1)
        return self.kji_to_ras(grid.reshape(-1, 3))

    def extent_ras_mm(self) -> tuple[Float3, Float3]:
        """Smallest and largest R, A, S of the grid in mm."""
        corners = self.corners_ras()
        return _triple(corners.min(axis=0)), _triple(corners.max(axis=0))

    def crop(self, slices_kji: Sequence[slice]) -> Geometry:
        """The geometry of `array[slices_kji]`: world positions of the kept voxels do not move.

        Raises GeometryError when nothing is left or a slice has a step.
        """
        ranges = [
            range(*part.indices(count))
            for part, count in zip(slices_kji, self.shape_kji, strict=True)
        ]
        if any(part.step != 1 for part in ranges):
            raise GeometryError(f"A crop keeps every voxel, so it takes no step: {slices_kji}.")
        if any(len(part) == 0 for part in ranges):
            raise GeometryError(
                f"Nothing is left of {self.shape_kji} voxels after the crop {slices_kji}."
            )
        first_ijk = np.array([float(part.start) for part in reversed(ranges)])
        origin = _transform(self.ijk_to_lps, first_ijk)[0]
        shape = _triple_of_int([len(part) for part in ranges])
        return Geometry(shape, self.spacing_mm, _triple(origin), self.direction)

    def with_spacing(self, spacing_mm: float | Sequence[float]) -> Geometry:
        """A grid with exactly this spacing (i, j, k) that starts at the same outer corner.

        It covers the whole extent, so its far side may lie up to one new voxel further out.
        An axis of one voxel keeps its spacing: a single slice stays a single slice. Raises
        GeometryError for more than 2^31 voxels: then the spacing of the image cannot be true.
        """
        wanted = (spacing_mm,) * 3 if isinstance(spacing_mm, int | float) else spacing_mm
        spacing = _checked_spacing(wanted)
        shape_ijk, kept = [], []
        for count, old, new in zip(reversed(self.shape_kji), self.spacing_mm, spacing, strict=True):
            single = count == 1
            # A sliver thinner than a thousandth of a voxel is a rounding error, not anatomy.
            shape_ijk.append(1 if single else max(1, math.ceil(count * old / new - 1e-3)))
            kept.append(old if single else new)
        if math.prod(shape_ijk) > _MOST_VOXELS:
            raise GeometryError(
                f"The image's voxel spacing is ({_listed(self.spacing_mm)}) mm, so that it would "
                f"take {math.prod(shape_ijk):.2g} voxels of ({_listed(spacing)}) mm to fill it; "
                "correct the spacing in the file's header, or give a smaller region."
            )
        return self._regrid(_triple_of_int(shape_ijk[::-1]), _triple(kept))

    def with_shape(self, shape_kji: Sequence[int]) -> Geometry:
        """A grid with this many voxels over exactly the same extent."""
        shape = _triple_of_int(shape_kji)
        if min(shape) < 1:
            raise GeometryError(f"An image needs at least one voxel along each axis, not {shape}.")
        spacing = [
            old * count / new
            for old, count, new in zip(
                self.spacing_mm, reversed(self.shape_kji), reversed(shape), strict=True
            )
        ]
        return self._regrid(shape, _triple(spacing))

    def _regrid(self, shape_kji: tuple[int, int, int], spacing_mm: Float3) -> Geometry:
        shift_ijk = 0.5 * (np.asarray(spacing_mm) / np.asarray(self.spacing_mm) - 1.0)
        origin = _transform(self.ijk_to_lps, shift_ijk)[0]
        return Geometry(shape_kji, spacing_mm, _triple(origin), self.direction)

    def is_close(self, other: Geometry, tolerance_mm: float | None = None) -> bool:
        """Whether both grids have the same voxels, corners within a 1/100 voxel (or tolerance)."""
        if self.shape_kji != other.shape_kji:
            return False
        allowed = 0.01 * min(self.spacing_mm) if tolerance_mm is None else tolerance_mm
        distances = np.linalg.norm(self.corners_ras() - other.corners_ras(), axis=1)
        return bool(distances.max() <= allowed)


def _transform(matrix: NDArray[np.float64], points: ArrayLike) -> NDArray[np.float64]:
    rows = np.atleast_2d(np.asarray(points, dtype=np.float64))
    return np.asarray(rows @ matrix[:3, :3].T + matrix[:3, 3])


def _read_only(matrix: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    result = np.asarray(matrix, dtype=np.float64)
    result.flags.writeable = False
    return result


def _triple(values: ArrayLike) -> Float3:
    first, second, third = (float(value) for value in np.asarray(values, dtype=np.float64))
    return first, second, third


def _triple_of_int(values: Sequence[int]) -> tuple[int, int, int]:
    first, second, third = (int(value) for value in values)
    return first, second, third


def as_direction(matrix: ArrayLike) -> Direction:
    """A 3x3 array as the nested tuples that a Geometry keeps."""
    rows = np.asarray(matrix, dtype=np.float64)
    return _triple(rows[0]), _triple(rows[1]), _triple(rows[2])


def _finite_triple(name: str, values: ArrayLike) -> Float3:
    numbers = np.asarray(values, dtype=np.float64).reshape(-1)
    if numbers.shape != (3,) or not np.isfinite(numbers).all():
        raise GeometryError(f"The image's {name} must be three finite numbers, not {values!r}.")
    return _triple(numbers)


def _listed(numbers: ArrayLike) -> str:
    return ", ".join(f"{number:g}" for number in np.asarray(numbers, dtype=np.float64).reshape(-1))


def _checked_spacing(values: ArrayLike) -> Float3:
    numbers = np.asarray(values, dtype=np.float64).reshape(-1)
    if numbers.shape != (3,) or not np.isfinite(numbers).all() or (numbers <= 0).any():
        raise GeometryError(
            f"The image's voxel spacing is ({_listed(numbers)}) mm, but must be three numbers "
            "above zero; correct the spacing in the file's header or export the image again."
        )
    return _triple(numbers)


def _checked_direction(values: ArrayLike) -> Direction:
    matrix = np.asarray(values, dtype=np.float64)
    if matrix.shape != (3, 3) or not np.isfinite(matrix).all():
        raise GeometryError(f"The image's direction must be 3x3 finite numbers, not {values!r}.")
    lengths = np.linalg.norm(matrix, axis=0)
    if (lengths == 0).any() or abs(np.linalg.det(matrix / lengths)) < _SMALLEST_DETERMINANT:
        raise GeometryError(
            f"The image's direction {matrix.tolist()} is singular (two axes coincide); "
            "correct the orientation in the file's header or export the image again."
        )
    return as_direction(matrix)
