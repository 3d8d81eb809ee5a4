"""What the slices of one DICOM stack must have in common, and the type that holds all of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.io.dicom_headers import DicomFile

__all__ = ["check_alike", "wide_type"]

# Sizes of pixels are rounded in headers; what differs by more is another scan.
_UNEVEN_PIXELS = 1e-3
_ADVICE = "they form no volume, so put the slices of one scan into a folder of their own."
_INTEGERS = {
    sitk.sitkUInt8: "u1", sitk.sitkInt8: "i1", sitk.sitkUInt16: "u2", sitk.sitkInt16: "i2",
    sitk.sitkUInt32: "u4", sitk.sitkInt32: "i4", sitk.sitkInt64: "i8",
}  # fmt: skip


def check_alike(files: Sequence[DicomFile], path: Path) -> None:
    """Refuse pixels of several sizes, and slices over half a pixel beside the line of the others.

    `files` are at least two, in their order along the normal of the first. Raises InputError.
    """
    first, last = files[0], files[-1]
    across = last.origin_lps - first.origin_lps
    line = across / float(across @ first.normal)
    for number, file in enumerate(files, start=1):
        if not np.allclose(file.spacing_mm, first.spacing_mm, rtol=_UNEVEN_PIXELS):
            raise InputError(
                f"{path} has slices of several pixel sizes: {_size(first)} mm in slice 1 and "
                f"{_size(file)} mm in slice {number}; {_ADVICE}"
            )
        offset = file.origin_lps - first.origin_lps
        aside = float(np.linalg.norm(offset - line * float(offset @ first.normal)))
        if aside > min(first.spacing_mm) / 2:
            raise InputError(
                f"{path} has slices that do not lie above each other: slice {number} is "
                f"{aside:.2f} mm beside the line of the others; {_ADVICE}"
            )


def _size(file: DicomFile) -> str:
    return " x ".join(f"{spacing:.4g}" for spacing in file.spacing_mm)


def wide_type(files: Sequence[DicomFile]) -> int | None:
    """The pixel type of SimpleITK that holds all slices, or None where they have one type.

    Slices may be scaled differently (PET) or have different offsets. ITK squeezes all of them into
    the type of the first, where what does not fit wraps around without a word.
    """
    if any(file.is_float for file in files):
        return int(sitk.sitkFloat32)
    types = {file.pixel_type for file in files}
    if len(types) == 1 or not types <= set(_INTEGERS):
        return None
    wide = np.result_type(*(_INTEGERS[one] for one in types))
    return next(one for one, name in _INTEGERS.items() if np.dtype(name) == wide)
