"""Files and folders to images and masks; whatever is wrong becomes one sentence."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from DiffusionSegLib.errors import GeometryError, InputError
from DiffusionSegLib.io.checks import check_thickness, check_voxels
from DiffusionSegLib.io.itk import grid_of, itk_name, quiet_itk, shared_array
from DiffusionSegLib.io.nifti import read_nifti
from DiffusionSegLib.io.nifti_header import is_nifti
from DiffusionSegLib.io.raster import RASTER_SUFFIXES, read_label_raster, read_raster
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import RGB_NAMES, Image
from DiffusionSegLib.nouns.label import Label
from DiffusionSegLib.nouns.mask import Mask

__all__ = ["kind_of", "read_image", "read_mask"]

_ITK_KINDS = {"nrrd": "NrrdImageIO", "metaimage": "MetaImageIO"}
_SUFFIXES = {
    ".nii": "nifti", ".nii.gz": "nifti", ".nrrd": "nrrd", ".nhdr": "nrrd", ".mha": "metaimage",
    ".mhd": "metaimage", ".dcm": "dicom", ".dicom": "dicom", ".ima": "dicom",
    **dict.fromkeys(RASTER_SUFFIXES, "raster"),
}  # fmt: skip
_READABLE = "NIfTI, NRRD, MetaImage, DICOM, PNG, JPEG, TIFF, WebP, BMP"
_LARGEST_RATIO = 1032


def read_image(path: Path, series: str | None = None) -> Image:
    """An image from one file or one DICOM folder; see `Image.read`."""
    kind = kind_of(path)
    if kind == "dicom":
        from DiffusionSegLib.io.dicom import read_dicom

        image = read_dicom(path, series)
    else:
        array, geometry = _read_grid(path, kind)
        image = Image(array, geometry, _channel_names(array), path=path)
    check_thickness(image.geometry.shape_kji, path)
    check_voxels(image.array, path)
    return image


def read_mask(path: Path, labels: Sequence[Label] | None = None) -> Mask:
    """A mask from one file; see `Mask.read`."""
    kind = kind_of(path)
    if kind == "nrrd":
        from DiffusionSegLib.io.seg_nrrd import read_seg_nrrd

        mask = read_seg_nrrd(path)
    elif kind == "raster":
        values = read_label_raster(path)
        mask = _mask(path, values, Geometry(_shape_kji(values)))
    elif kind == "dicom":
        raise InputError(
            f"{path.name} is DICOM, which is not read as a mask; convert it to .seg.nrrd or "
            ".nii.gz first."
        )
    else:
        array, geometry = _read_grid(path, kind)
        if len(array) != 1:
            raise InputError(f"{path.name} has {len(array)} channels, but a mask has one.")
        mask = _mask(path, array[0], geometry)
    if labels is None:
        return mask
    return Mask(mask.array, mask.geometry, tuple(labels), mask.provenance)


def kind_of(path: Path) -> str:
    """ "nifti", "nrrd", "metaimage", "dicom" or "raster", by name and, without a known one,
    by content; raises InputError when there is nothing readable."""
    try:
        if path.is_dir():
            return "dicom"
        if not path.exists():
            raise InputError(f"There is no file {path}; check the name and the folder.")
        if not path.is_file():
            raise InputError(f"{path} is a pipe or a device, not a file; give an image file.")
        with path.open("rb") as stream:
            start = stream.read(540)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be opened: {_reason(error)}.") from error
    if not start:
        raise InputError(f"{path.name} is empty (0 bytes); copy or export it again.")
    name = path.name.lower()
    for suffix in sorted(_SUFFIXES, key=len, reverse=True):
        if name.endswith(suffix):
            return _SUFFIXES[suffix]
    return _sniffed(start, path)


def _reason(error: Exception) -> str:
    if isinstance(error, PermissionError):
        return "no permission to read it"
    return str(getattr(error, "strerror", None) or error)


def _sniffed(start: bytes, path: Path) -> str:
    if start[128:132] == b"DICM":
        return "dicom"
    if start.startswith(b"NRRD"):
        return "nrrd"
    if start.startswith(b"ObjectType"):
        return "metaimage"
    if start.startswith((b"\x89PNG", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"BM", b"RIFF")):
        return "raster"
    if is_nifti(start) or (start.startswith(b"\x1f\x8b") and is_nifti(_unpacked_start(path))):
        return "nifti"
    raise InputError(f"{path.name} is not an image that can be read ({_READABLE}).")


def _unpacked_start(path: Path) -> bytes:
    try:
        with gzip.open(path, "rb") as stream:
            return stream.read(540)
    except (OSError, EOFError, zlib.error):
        return b""


def _read_grid(path: Path, kind: str) -> tuple[NDArray[Any], Geometry]:
    try:
        if kind == "nifti":
            return read_nifti(path)
        if kind == "raster":
            array = read_raster(path)
            return array, Geometry(_shape_kji(array[0]))
        return read_with_itk(path, kind)[:2]
    except GeometryError as error:
        if path.name in str(error):
            raise
        raise GeometryError(f"{path.name} cannot be used: {error}") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {_reason(error)}.") from error
    except MemoryError as error:
        raise InputError(
            f"{path.name} is too large for this computer's memory; crop or resample it first."
        ) from error


def _shape_kji(array: NDArray[Any]) -> tuple[int, int, int]:
    slices, rows, columns = array.shape
    return slices, rows, columns


def _channel_names(array: NDArray[Any]) -> tuple[str, ...]:
    return RGB_NAMES if len(array) == 3 and array.dtype == np.uint8 else ()


def _mask(path: Path, values: NDArray[Any], geometry: Geometry) -> Mask:
    try:
        return Mask(values, geometry)
    except InputError as error:
        raise InputError(f"{path.name} is not a mask: {error}") from error


def read_with_itk(path: Path, kind: str) -> tuple[NDArray[Any], Geometry, dict[str, str]]:
    """Voxels (channels, k, j, i), geometry and key/value pairs of a NRRD or MetaImage file."""
    reader = sitk.ImageFileReader()
    reader.SetImageIO(_ITK_KINDS[kind])
    reader.SetFileName(itk_name(path))
    try:
        with quiet_itk():
            reader.ReadImageInformation()
            _check_information(reader, path)
            image = reader.Execute()
    except RuntimeError as error:
        beside = ", or the file of its voxels is not beside it" if _is_detached(path) else ""
        raise InputError(
            f"{path.name} is damaged, incomplete or not the kind of image that its name says"
            f"{beside}; check it or export it again."
        ) from error
    return _itk_parts(image)


def _check_information(reader: sitk.ImageFileReader, path: Path) -> None:
    size = list(reader.GetSize())
    if int(np.prod(size, dtype=object)) < 1:
        raise InputError(f"{path.name} is empty: its header says {size} voxels.")
    if len(size) > 3 and int(np.prod(size[3:], dtype=object)) > 1:
        raise InputError(
            f"{path.name} is a series of {int(np.prod(size[3:], dtype=object))} images "
            f"({' x '.join(map(str, size))}), not one; extract one of them first."
        )
    if "complex" in sitk.GetPixelIDValueAsString(reader.GetPixelID()):
        raise InputError(
            f"{path.name} holds complex numbers, but an image needs real ones; "
            "export its magnitude."
        )
    bytes_claimed = int(np.prod(size, dtype=object)) * reader.GetNumberOfComponents()
    if not _is_detached(path) and bytes_claimed > path.stat().st_size * _LARGEST_RATIO:
        raise InputError(f"{path.name} is incomplete: it is too small for the {size} voxels "
                         "that its header promises; copy it again.")  # fmt: skip
    if len(size) > 3:
        reader.SetExtractSize([*size[:3], *[0] * (len(size) - 3)])


def _is_detached(path: Path) -> bool:
    return path.suffix.lower() in (".nhdr", ".mhd")


def _text(value: str) -> str:
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _itk_parts(image: sitk.Image) -> tuple[NDArray[Any], Geometry, dict[str, str]]:
    # A damaged header may hold keys that are no text; only those of segments are of use.
    keys = [key for key in image.GetMetaDataKeys() if key.startswith("Segment") and key.isascii()]
    metadata = {key: _text(image.GetMetaData(key)) for key in keys}
    components = image.GetNumberOfComponentsPerPixel()
    geometry = grid_of(image)
    voxels = shared_array(image).reshape(*geometry.shape_kji, components)
    if components == 1:
        return voxels[None, ..., 0], geometry, metadata
    # Four bytes are red, green, blue and opacity, except where they are layers of segments.
    if components == 4 and voxels.dtype == np.uint8 and "Segment0_ID" not in metadata:
        voxels = voxels[..., :3]
    return np.ascontiguousarray(np.moveaxis(voxels, -1, 0)), geometry, metadata
