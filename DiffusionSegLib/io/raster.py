"""Pictures: PNG, JPEG, TIFF, WebP, BMP."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture
from PIL import ImageOps, UnidentifiedImageError

from DiffusionSegLib.errors import InputError, OutputError

__all__ = ["RASTER_SUFFIXES", "read_label_raster", "read_raster", "write_raster"]

RASTER_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
_FORMATS = {
    ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".tif": "TIFF", ".tiff": "TIFF",
    ".webp": "WEBP", ".bmp": "BMP",
}  # fmt: skip
_OPTIONS: dict[str, dict[str, Any]] = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}}
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# What Pillow opens with another sign than the file's: its mode, bits and kind (TIFF tags 258, 339).
_STORED_OTHERWISE = {("I", (32, 1)): "u4", ("L", (8, 2)): "i1"}
_STORED = "stored as"
_MOST_PIXELS = 400_000_000
_BROKEN = (OSError, ValueError, SyntaxError, EOFError, TypeError, KeyError, IndexError,
           AttributeError, OverflowError, MemoryError, Picture.DecompressionBombError)  # fmt: skip


def read_raster(path: Path) -> NDArray[Any]:
    """(channels, pages, rows, columns): grey (8 or 16 bit, float) or red, green, blue.

    Alpha is dropped, palettes and CMYK become RGB, the EXIF orientation is applied, the pages of
    a TIFF are slices. The file's dots per inch are not trusted.
    """
    return _stacked([_to_array(page) for page in _pages(path)], path, axis=1)


def read_label_raster(path: Path) -> NDArray[Any]:
    """(pages, rows, columns) of values as stored; a palette's indices are the label values."""
    pages = []
    for page in _pages(path):
        if page.mode in ("P", "L", "I", "I;16", "I;16B", "I;16L", "F"):
            pages.append(_stored(page))
        elif page.mode == "1":
            pages.append(np.asarray(page).astype(np.uint8))
        else:
            pages.append(_single_channel(_to_array(page), path))
    return _stacked(pages, path, axis=0)


def _stacked(pages: list[NDArray[Any]], path: Path, axis: int) -> NDArray[Any]:
    if any(page.shape != pages[0].shape or page.dtype != pages[0].dtype for page in pages):
        raise InputError(
            f"{path.name} has {len(pages)} pages, but the pages differ in size or kind, so they "
            "are no slices of one image; save the one you want as a file of its own."
        )
    return np.stack(pages, axis=axis)


def write_raster(stream: BinaryIO, array: NDArray[Any], path: Path) -> None:
    """(1 or 3 channels, 1, rows, columns) of uint8 (grey also uint16) as a picture."""
    suffix = path.suffix.lower()
    if array.shape[1] != 1:
        raise OutputError(
            f"{path} could not be written: a {suffix} picture holds one slice, not "
            f"{array.shape[1]}; use .nii.gz, .nrrd or .mha."
        )
    sixteen = array.dtype == np.uint16 and len(array) == 1 and _FORMATS[suffix] in ("PNG", "TIFF")
    if len(array) not in (1, 3) or not (array.dtype == np.uint8 or sixteen):
        raise OutputError(
            f"{path} could not be written: a {suffix} picture holds 1 or 3 channels of 8 bit, "
            f"not {len(array)} of {array.dtype}; use .nii.gz, .nrrd or .mha."
        )
    pixels = array[0, 0] if len(array) == 1 else np.moveaxis(array[:, 0], 0, -1)
    options = _OPTIONS.get(_FORMATS[suffix], {})
    Picture.fromarray(np.ascontiguousarray(pixels)).save(stream, _FORMATS[suffix], **options)


def _pages(path: Path) -> list[Picture.Image]:
    """All pages with their orientation applied; whatever a decoder raises becomes one sentence."""
    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures and odd tags; what is unusable it raises.
            warnings.simplefilter("ignore")
            with Picture.open(path) as picture:
                _check_size(picture, path)
                count = getattr(picture, "n_frames", 1) if picture.format == "TIFF" else 1
                return [_page(picture, number) for number in range(count)]
    except UnidentifiedImageError as error:
        raise InputError(_unidentified(path)) from error
    except _BROKEN as error:
        raise InputError(
            f"{path.name} is damaged or incomplete: it cannot be decoded; copy it again."
        ) from error


def _unidentified(path: Path) -> str:
    with path.open("rb") as stream:
        start = stream.read(4)
    if start in _TIFF_STARTS:
        return (
            f"{path.name} is a TIFF of a kind that cannot be read (such as 64-bit numbers); save "
            "it with 8 or 16 bits, or as 32-bit float."
        )
    return f"{path.name} is not a picture, although its name says so; check what it is."


def _check_size(picture: Picture.Image, path: Path) -> None:
    columns, rows = picture.size
    if columns * rows > _MOST_PIXELS:
        raise InputError(
            f"{path.name} has {columns} x {rows} pixels, more than {_MOST_PIXELS // 10**6} "
            "million; crop or shrink it."
        )


def _page(picture: Picture.Image, number: int) -> Picture.Image:
    picture.seek(number)
    picture.load()
    stored = _STORED_OTHERWISE.get((picture.mode, _sample_format(picture)))
    page = ImageOps.exif_transpose(picture).copy()
    page.info.pop(_STORED, None)
    if stored:
        page.info[_STORED] = stored
    return page


def _sample_format(picture: Picture.Image) -> tuple[int, int]:
    """Bits and kind (1 unsigned, 2 signed, 3 float) of a TIFF's numbers; zeros of other files."""
    tags: Mapping[int, Any] = getattr(picture, "tag_v2", {})
    bits, kind = tags.get(258, (0,)), tags.get(339, (1,))
    return (bits[0], kind[0]) if tags else (0, 0)


def _stored(page: Picture.Image) -> NDArray[Any]:
    """The numbers of a page of one channel."""
    pixels = _native(np.asarray(page))
    return pixels.view(page.info.get(_STORED, pixels.dtype))


def _to_array(page: Picture.Image) -> NDArray[Any]:
    """(channels, rows, columns)."""
    if page.mode == "1":
        return np.asarray(page.convert("L"))[None]
    if page.mode in ("LA", "La"):
        return np.asarray(page.convert("LA"))[None, ..., 0]
    if page.mode in ("L", "I", "F") or page.mode.startswith("I;16"):
        return _stored(page)[None]
    rgb = np.moveaxis(np.asarray(page.convert("RGB")), -1, 0)
    if page.mode == "P" and (rgb[0] == rgb[1]).all() and (rgb[0] == rgb[2]).all():
        return np.ascontiguousarray(rgb[:1])
    return np.ascontiguousarray(rgb)


def _native(pixels: NDArray[Any]) -> NDArray[Any]:
    return pixels.astype(pixels.dtype.newbyteorder("="), copy=False)


def _single_channel(array: NDArray[Any], path: Path) -> NDArray[Any]:
    if len(array) > 1 and not all(np.array_equal(array[0], other) for other in array[1:]):
        raise InputError(
            f"{path.name} is a colour picture, but a mask holds one label value per pixel; "
            "save it in shades of grey or with a palette."
        )
    return np.asarray(array[0])
