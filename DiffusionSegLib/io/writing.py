"""Images and masks to files, the format by the name's ending."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.errors import OutputError
from DiffusionSegLib.io.atomic import atomic_file
from DiffusionSegLib.io.raster import RASTER_SUFFIXES, write_raster
from DiffusionSegLib.io.seg_nrrd import write_seg_nrrd
from DiffusionSegLib.io.volume_writers import storable, write_metaimage, write_nifti, write_nrrd
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask

__all__ = ["write_image", "write_mask"]

_VOLUMES = (".nii.gz", ".nii", ".nrrd", ".mha")
# These would change label values or have no way to hold them.
_LOSSY = (".jpg", ".jpeg", ".webp")


def write_image(image: Image, path: Path) -> None:
    """Write an image; see `Image.write`."""
    suffix = _suffix(path, (*_VOLUMES, *RASTER_SUFFIXES))
    _write(path, suffix, image.array, image.geometry)


def write_mask(mask: Mask, path: Path) -> None:
    """Write a mask; see `Mask.write`."""
    pictures = tuple(suffix for suffix in RASTER_SUFFIXES if suffix not in _LOSSY)
    suffix = _suffix(path, (".seg.nrrd", *_VOLUMES, *pictures))
    if suffix == ".seg.nrrd":
        with atomic_file(path) as stream:
            write_seg_nrrd(stream, mask)
        return
    _write(path, suffix, mask.array[np.newaxis], mask.geometry)


def _suffix(path: Path, known: tuple[str, ...]) -> str:
    for suffix in known:
        if path.name.lower().endswith(suffix):
            return suffix
    raise OutputError(
        f"{path} could not be written: its ending is not one of {', '.join(known)}; choose one."
    )


def _write(path: Path, suffix: str, array: NDArray[Any], geometry: Geometry) -> None:
    values = storable(array)
    with atomic_file(path) as stream:
        if suffix in RASTER_SUFFIXES:
            write_raster(stream, values, path)
        elif suffix == ".nrrd":
            write_nrrd(stream, values, geometry, {})
        elif suffix == ".mha":
            write_metaimage(stream, values, geometry)
        else:
            _check_nifti(path, values)
            write_nifti(stream, values, geometry, compress=suffix == ".nii.gz")


def _check_nifti(path: Path, array: NDArray[Any]) -> None:
    if len(array) != 1 and not (len(array) == 3 and array.dtype == np.uint8):
        raise OutputError(
            f"{path} could not be written: NIfTI holds one channel or RGB of 8 bit, not "
            f"{len(array)} of {array.dtype}; use .nrrd or .mha."
        )
    if max(array.shape[1:]) > 32767:
        raise OutputError(
            f"{path} could not be written: NIfTI holds at most 32767 voxels along an axis; "
            "use .nrrd or .mha."
        )
