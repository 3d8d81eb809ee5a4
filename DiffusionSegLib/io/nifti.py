"""The voxels of a NIfTI file, read so that damage does not go unnoticed.

ITK's own reader makes sheared axes orthogonal and fills what is missing from a truncated file with
zeros, both silently. It is used only to decompress, which it does fastest, and its result is
checked against the file's checksum.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.io.itk import itk_name, quiet_itk, shared_array
from DiffusionSegLib.io.nifti_header import (
    COLOUR_TYPES,
    HEADER_BYTES,
    NiftiHeader,
    damaged,
    has_scaling,
    ijk_to_ras,
    parse_header,
    spatial_shape,
    stored_type,
)
from DiffusionSegLib.nouns.geometry import Geometry

__all__ = ["read_nifti"]

# ITK holds the voxels twice while it reads; above this, memory matters more than its speed.
_LARGEST_FOR_ITK = 64 << 20
_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def read_nifti(path: Path) -> tuple[NDArray[Any], Geometry]:
    """Voxels (channels, k, j, i) in their stored type and the geometry.

    Of qform and sform the one is used that ITK and 3D Slicer use, so positions agree; a sheared
    sform without qform is kept exactly. Intensities with a slope come as floats.
    """
    compressed = _is_gzip(path)
    header = parse_header(_start_of(path, compressed), path)
    shape_kji = spatial_shape(header, path)
    geometry = Geometry.from_ijk_to_lps(shape_kji, _RAS_TO_LPS @ ijk_to_ras(header, path))
    colours = COLOUR_TYPES.get(header.datatype, 1)
    dtype = stored_type(header, path)
    voxels = _read_voxels(path, header, dtype, (*shape_kji, colours), compressed)
    array = (
        np.ascontiguousarray(np.moveaxis(voxels, -1, 0)[:3])
        if colours > 1
        else voxels[None, ..., 0]
    )
    return _scaled(array, header), geometry


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


def _start_of(path: Path, compressed: bool) -> bytes:
    try:
        with _opened(path, compressed) as stream:
            return stream.read(HEADER_BYTES)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise damaged(path) from error


def _opened(path: Path, compressed: bool) -> BinaryIO:
    return gzip.open(path, "rb") if compressed else path.open("rb")  # type: ignore[return-value]


def _read_voxels(
    path: Path,
    header: NiftiHeader,
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
    compressed: bool,
) -> NDArray[Any]:
    size = math.prod(shape) * dtype.itemsize
    file_size = path.stat().st_size
    # Deflate shrinks at most 1032-fold, so a larger claim needs no memory to be refused.
    if header.offset + size > (file_size * 1032 if compressed else file_size):
        raise damaged(path)
    plain = dtype.isnative and shape[3] == 1 and not has_scaling(header)
    if compressed and plain and size <= _LARGEST_FOR_ITK:
        voxels = _inflated_by_itk(path, header, dtype, shape[:3])
        if voxels is not None:
            return voxels[..., None]
    buffer = np.empty(shape, dtype)
    try:
        with _opened(path, compressed) as stream:
            stream.seek(header.offset)
            _fill(stream, buffer.reshape(-1).view(np.uint8).data)
            # Reading to the end makes gzip compare its checksum.
            while compressed and stream.read(1 << 20):
                pass
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise damaged(path) from error
    return buffer if dtype.isnative else buffer.astype(dtype.newbyteorder("="))


def _fill(stream: BinaryIO, target: memoryview) -> None:
    position = 0
    while position < len(target):
        count = stream.readinto(target[position : position + (1 << 22)])  # type: ignore[attr-defined]
        if not count:
            raise EOFError
        position += count


def _inflated_by_itk(
    path: Path, header: NiftiHeader, dtype: np.dtype[Any], shape_kji: tuple[int, ...]
) -> NDArray[Any] | None:
    """The voxels by ITK's faster decompression, or None unless the checksum confirms them."""
    with gzip.open(path, "rb") as stream:
        start = stream.read(header.offset)
    with path.open("rb") as raw:
        raw.seek(-8, 2)
        checksum, length = struct.unpack("<II", raw.read(8))
    if length != (header.offset + math.prod(shape_kji) * dtype.itemsize) % (1 << 32):
        return None
    try:
        with quiet_itk():
            reader = sitk.ImageFileReader()
            reader.SetImageIO("NiftiImageIO")
            reader.SetFileName(itk_name(path))
            voxels = shared_array(reader.Execute())
    except (RuntimeError, InputError):
        return None
    voxels = voxels.reshape(shape_kji) if voxels.size == math.prod(shape_kji) else voxels
    if voxels.dtype != dtype or voxels.shape != shape_kji:
        return None
    return voxels if zlib.crc32(voxels.data, zlib.crc32(start)) == checksum else None


def _scaled(array: NDArray[Any], header: NiftiHeader) -> NDArray[Any]:
    if not has_scaling(header) or header.datatype in COLOUR_TYPES:
        return array
    exact = np.dtype(np.float32) if array.dtype.itemsize <= 2 else np.dtype(np.float64)
    wide = array.dtype if array.dtype.kind == "f" else exact
    result = array.astype(wide)
    result *= wide.type(header.slope)
    result += wide.type(header.intercept)
    return result
