"""The header of a NIfTI-1 or NIfTI-2 file: shape, type, scaling, position."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.errors import GeometryError, InputError

__all__ = [
    "COLOUR_TYPES",
    "HEADER_BYTES",
    "NiftiHeader",
    "damaged",
    "has_scaling",
    "ijk_to_ras",
    "is_nifti",
    "parse_header",
    "spatial_shape",
    "stored_type",
]

HEADER_BYTES = 540
_NUMBER_TYPES = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8",
    256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8",
}  # fmt: skip
COLOUR_TYPES = {128: 3, 2304: 4}
_COMPLEX_TYPES = frozenset({32, 1792, 2048})
_MM_OF_UNITS = {1: 1000.0, 3: 0.001}  # meters, micrometers; anything else is read as mm


@dataclass(frozen=True)
class NiftiHeader:
    """Lengths are in mm, whatever the file's are in."""

    order: str
    shape: tuple[int, ...]
    datatype: int
    spacing_mm: tuple[float, float, float]
    offset: int
    slope: float
    intercept: float
    qform_code: int
    qform: NDArray[np.float64]
    sform_code: int
    sform: NDArray[np.float64]


def is_nifti(start: bytes) -> bool:
    """Whether (uncompressed) bytes begin like a NIfTI file with header and voxels in one."""
    return start[344:348] in (b"n+1\0",) or start[4:8] in (b"n+2\0",)


def parse_header(start: bytes, path: Path) -> NiftiHeader:
    if not is_nifti(start) or len(start) < (348 if start[344:348] == b"n+1\0" else 540):
        raise InputError(
            f"{path.name} is not a NIfTI image, although its name says so; check what it is and "
            "give it the right ending."
        )
    if start[344:348] == b"n+1\0":
        return _parse_first(start, path)
    return _parse_second(start, path)


def _order(start: bytes, first_size: int, path: Path) -> str:
    for order in "<>":
        if struct.unpack_from(order + "i", start)[0] == first_size:
            return order
    raise damaged(path)


def _parse_first(start: bytes, path: Path) -> NiftiHeader:
    order = _order(start, 348, path)
    dim = struct.unpack_from(order + "8h", start, 40)
    (datatype,) = struct.unpack_from(order + "h", start, 70)
    pixdim = struct.unpack_from(order + "8f", start, 76)
    offset, slope, intercept = struct.unpack_from(order + "3f", start, 108)
    qform_code, sform_code = struct.unpack_from(order + "2h", start, 252)
    quaternion = struct.unpack_from(order + "6f", start, 256)
    sform = struct.unpack_from(order + "12f", start, 280)
    return _header(
        path, order, dim, datatype, pixdim, offset, (slope, intercept), qform_code, quaternion,
        sform_code, sform, start[123],
    )  # fmt: skip


def _parse_second(start: bytes, path: Path) -> NiftiHeader:
    order = _order(start, 540, path)
    (datatype,) = struct.unpack_from(order + "h", start, 12)
    dim = struct.unpack_from(order + "8q", start, 16)
    pixdim = struct.unpack_from(order + "8d", start, 104)
    (offset,) = struct.unpack_from(order + "q", start, 168)
    scaling = struct.unpack_from(order + "2d", start, 176)
    (units,) = struct.unpack_from(order + "i", start, 500)
    qform_code, sform_code = struct.unpack_from(order + "2i", start, 344)
    quaternion = struct.unpack_from(order + "6d", start, 352)
    sform = struct.unpack_from(order + "12d", start, 400)
    return _header(
        path, order, dim, datatype, pixdim, offset, scaling, qform_code, quaternion,
        sform_code, sform, units,
    )  # fmt: skip


def _header(
    path: Path,
    order: str,
    dim: tuple[int, ...],
    datatype: int,
    pixdim: tuple[float, ...],
    offset: float,
    scaling: tuple[float, float],
    qform_code: int,
    quaternion: tuple[float, ...],
    sform_code: int,
    sform: tuple[float, ...],
    units: int,
) -> NiftiHeader:
    if not 1 <= dim[0] <= 7 or min(dim[1 : dim[0] + 1]) < 1:
        raise InputError(f"{path.name} is empty: its header says {dim[1:4]} voxels.")
    if not math.isfinite(offset) or not 0 <= offset < 1 << 31:
        raise damaged(path)
    count = min(dim[0], 3)
    # Axes that the file does not have carry any number as their spacing.
    mm = _MM_OF_UNITS.get(units & 7, 1.0)
    spacing = tuple(pixdim[axis + 1] * mm if axis < count else 1.0 for axis in range(3))
    matrix = np.vstack([np.asarray(sform, float).reshape(3, 4) * mm, [0.0, 0.0, 0.0, 1.0]])
    quaternion = (*quaternion[:3], *(length * mm for length in quaternion[3:]))
    return NiftiHeader(
        order=order,
        shape=tuple(dim[1 : dim[0] + 1]),
        datatype=datatype,
        spacing_mm=(spacing[0], spacing[1], spacing[2]),
        offset=int(offset),
        slope=scaling[0],
        intercept=scaling[1],
        qform_code=qform_code,
        qform=_quaternion_matrix(quaternion, pixdim[0]),
        sform_code=sform_code,
        sform=matrix,
    )


def spatial_shape(header: NiftiHeader, path: Path) -> tuple[int, int, int]:
    if math.prod(header.shape[3:]) != 1:
        raise InputError(
            f"{path.name} is a series of {math.prod(header.shape[3:])} images "
            f"({' x '.join(map(str, header.shape))}), not one; extract one of them first."
        )
    sizes = (*header.shape[:3], 1, 1)
    return sizes[2], sizes[1], sizes[0]


def _quaternion_matrix(quaternion: tuple[float, ...], handedness: float) -> NDArray[np.float64]:
    """Rotation in RAS of unit voxels and the offset (NIfTI-1 standard, method 2)."""
    b, c, d = quaternion[:3]
    rest = 1.0 - (b * b + c * c + d * d)
    if rest > 1e-7:
        a = math.sqrt(rest)
    else:
        # Half turns: what is left is rounding, and the three numbers alone make the quaternion.
        length = math.sqrt(b * b + c * c + d * d) or 1.0
        a, b, c, d = 0.0, b / length, c / length, d / length
    matrix = np.eye(4)
    matrix[:3, :3] = [
        [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
        [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
        [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
    ]
    if handedness < 0:
        matrix[:3, 2] *= -1.0
    matrix[:3, 3] = quaternion[3:6]
    return matrix


def ijk_to_ras(header: NiftiHeader, path: Path) -> NDArray[np.float64]:
    """The matrix that ITK and 3D Slicer use; a sheared sform counts where there is no qform."""
    spacing = np.asarray(header.spacing_mm)
    if not np.isfinite(spacing).all() or (spacing <= 0).any():
        shown = ", ".join(f"{value:g}" for value in spacing)
        raise GeometryError(
            f"{path.name} has a voxel spacing of ({shown}) mm, but it must be three numbers above "
            "zero; correct its header or export it again."
        )
    qform = header.qform @ np.diag([*spacing, 1.0]) if header.qform_code > 0 else None
    sform = header.sform if header.sform_code > 0 else None
    for matrix in (qform, sform):
        if matrix is not None and not np.isfinite(matrix).all():
            raise GeometryError(
                f"{path.name} has a position that is not a number in its header; export it again."
            )
    if sform is not None:
        return _of_both(qform, sform, header.sform_code == 1, spacing)
    if qform is not None:
        return np.asarray(qform)
    # Without any position ITK takes the axes as left, posterior, superior.
    return np.asarray(np.diag([-spacing[0], -spacing[1], spacing[2], 1.0]))


def _of_both(
    qform: NDArray[np.float64] | None,
    sform: NDArray[np.float64],
    scanner: bool,
    spacing: NDArray[np.float64],
) -> NDArray[np.float64]:
    """ITK takes an orthogonal sform of the scanner or one that agrees with the qform."""
    lengths = np.linalg.norm(sform[:3, :3], axis=0)
    unit = sform[:3, :3] / np.where(lengths > 0, lengths, 1.0)
    orthogonal = bool(np.allclose(unit @ unit.T, np.eye(3), atol=1e-4))
    if qform is not None and not (orthogonal and (scanner or _agree(qform, sform))):
        return np.asarray(qform)
    if not orthogonal:
        return sform
    chosen: NDArray[np.float64] = sform.copy()
    # The header's spacing has more digits left than the length of a rounded column.
    chosen[:3, :3] = unit * spacing
    return chosen


def _agree(qform: NDArray[np.float64], sform: NDArray[np.float64]) -> bool:
    return bool(np.allclose(qform, sform, rtol=0.0, atol=1e-4))


def stored_type(header: NiftiHeader, path: Path) -> np.dtype[Any]:
    if header.datatype in _COMPLEX_TYPES:
        raise InputError(
            f"{path.name} holds complex numbers, but an image needs real ones; "
            "export its magnitude."
        )
    if header.datatype in COLOUR_TYPES:
        return np.dtype("u1")
    if header.datatype not in _NUMBER_TYPES:
        raise InputError(
            f"{path.name} holds voxels of NIfTI type {header.datatype}, which is not supported; "
            "convert it to float."
        )
    return np.dtype(header.order + _NUMBER_TYPES[header.datatype])


def has_scaling(header: NiftiHeader) -> bool:
    slope, intercept = header.slope, header.intercept
    if not (math.isfinite(slope) and math.isfinite(intercept)) or slope == 0:
        return False
    return (slope, intercept) != (1.0, 0.0)


def damaged(path: Path) -> InputError:
    return InputError(
        f"{path.name} is damaged or incomplete: its voxels cannot all be read; "
        "copy or download it again."
    )
