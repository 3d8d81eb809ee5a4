"""DICOM files and folders: one series of slices becomes one volume."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.io.dicom_headers import DicomFile, Series, gather_series, read_header
from DiffusionSegLib.io.dicom_stack import check_alike, wide_type
from DiffusionSegLib.io.itk import grid_of, itk_name, quiet_itk, shared_array
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import RGB_NAMES, Image

__all__ = ["read_dicom"]

# Slices may be this much (of their distance) off their even places: rounding in headers, not gaps.
_UNEVEN = 0.1
_SHEAR = 1e-4
# Frames of these are moments in time, not places.
_FILMS = frozenset({"US", "XA", "RF", "ES", "IVUS"})


def read_dicom(path: Path, series: str | None = None) -> Image:
    """An image from one DICOM file, or from the one image series of a folder.

    Localizers are passed over. Raises InputError when a folder holds several image volumes (it
    lists them; choose with `series`, a SeriesInstanceUID), when slices are missing, and when one
    place was imaged several times. Tilted stacks keep their shear.
    """
    if path.is_dir():
        return _read_series(_chosen(gather_series(path), path, series), path)
    with quiet_itk():
        file = read_header(path)
    if file is None:
        raise InputError(
            f"{path.name} is not a DICOM image that can be read, although its name says so; "
            "check what it is."
        )
    return _read_series(Series(file.series_uid, (file,)), path)


def _chosen(found: Sequence[Series], folder: Path, wanted: str | None) -> Series:
    if not found:
        raise InputError(f"The folder {folder} holds no DICOM image; check the path.")
    if wanted is not None:
        for one in found:
            if one.uid == wanted:
                return one
        raise InputError(f"{folder} holds no series {wanted}; it holds: {_listed(found)}.")
    volumes = [one for one in found if one.is_volume]
    if len(volumes) == 1:
        return volumes[0]
    if len(found) == 1:
        return found[0]
    raise InputError(
        f"{folder} holds {len(found)} DICOM series: {_listed(found)}. Choose one by its number "
        "(--series in a terminal, series= in Python), or put the files of one into a folder of "
        "their own."
    )


def _listed(found: Sequence[Series]) -> str:
    shown = "; ".join(str(one) for one in found[:12])
    return shown + ("; ..." if len(found) > 12 else "")


def _read_series(series: Series, path: Path) -> Image:
    first = series.files[0]
    if len(series.files) > 1:
        files = _ordered(series, path)
        geometry = _stack_geometry(files, path)
        voxels = _read_stack(files, path)
    else:
        if first.size_ijk[2] > 1 and first.modality in _FILMS:
            raise InputError(
                f"{path.name} is a film of {first.size_ijk[2]} frames, not a volume; "
                "export one frame."
            )
        voxels, geometry = _read_single(first, path)
    array = np.moveaxis(voxels, -1, 0)
    names = RGB_NAMES if len(array) == 3 else ()
    return Image(array if len(array) == 1 else np.ascontiguousarray(array), geometry, names,
                 path=path)  # fmt: skip


def _ordered(series: Series, path: Path) -> list[DicomFile]:
    """The slices along their normal; refuses what is no stack."""
    first = series.files[0]
    if not all(
        file.size_ijk == first.size_ijk and file.components == first.components
        for file in series.files
    ):
        raise InputError(f"The slices of {series} in {path} differ in size; they form no volume.")
    if first.size_ijk[2] > 1:
        raise InputError(
            f"{path} holds {len(series.files)} multi-frame files of {series}; give one of them."
        )
    if not series.is_volume:
        raise InputError(
            f"The slices of {series} in {path} are not parallel; they form no volume. "
            "Give one of the files to use it as a single picture."
        )
    return sorted(series.files, key=lambda file: _height(file, first))


def _height(file: DicomFile, first: DicomFile) -> float:
    return float(file.origin_lps @ first.normal)


def _stack_geometry(files: Sequence[DicomFile], path: Path) -> Geometry:
    first, last = files[0], files[-1]
    heights = np.array([_height(file, first) for file in files])
    gaps = np.diff(heights)
    typical = float(np.median(gaps))
    if (gaps < 1e-3).any():
        places = 1 + int(np.count_nonzero(gaps >= 1e-3))
        raise InputError(
            f"{path} is a series of {len(files)} images of {places} places (several moments or "
            "echoes), not one volume; put one image of each place into a folder of its own."
        )
    worst = int(np.abs(gaps - typical).argmax())
    if abs(gaps[worst] - typical) > _UNEVEN * typical:
        raise InputError(
            f"{path} has unevenly spaced slices: {gaps[worst]:.2f} mm between slices {worst + 1} "
            f"and {worst + 2}, elsewhere {typical:.2f} mm; a file is probably missing."
        )
    check_alike(files, path)
    step = (last.origin_lps - first.origin_lps) / (len(files) - 1)
    across = step / np.linalg.norm(step)
    if np.linalg.norm(across - first.normal) < _SHEAR:
        across, step = first.normal, first.normal * (heights[-1] - heights[0]) / (len(files) - 1)
    direction = np.column_stack([first.direction[:, 0], first.direction[:, 1], across])
    matrix = np.eye(4)
    matrix[:3, :3] = direction * [*first.spacing_mm, float(np.linalg.norm(step))]
    matrix[:3, 3] = first.origin_lps
    columns, rows, _ = first.size_ijk
    return Geometry.from_ijk_to_lps((len(files), rows, columns), matrix)


def _read_stack(files: Sequence[DicomFile], path: Path) -> NDArray[Any]:
    reader = sitk.ImageSeriesReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileNames([itk_name(file.path) for file in files])
    wide = wide_type(files)
    if wide is not None:
        reader.SetOutputPixelType(wide)
    columns, rows, _ = files[0].size_ijk
    try:
        with quiet_itk():
            voxels = shared_array(reader.Execute())
        return voxels.reshape(len(files), rows, columns, files[0].components)
    except (RuntimeError, ValueError) as error:
        raise InputError(
            f"The slices in {path} cannot be decoded: a file is damaged or compressed in an "
            "unsupported way; export the series again."
        ) from error


def _read_single(file: DicomFile, path: Path) -> tuple[NDArray[Any], Geometry]:
    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileName(itk_name(file.path))
    if file.is_float:
        reader.SetOutputPixelType(sitk.sitkFloat32)
    try:
        with quiet_itk():
            image = reader.Execute()
    except RuntimeError as error:
        raise InputError(
            f"{path.name} cannot be decoded: it is damaged or compressed in an unsupported way; "
            "export it again."
        ) from error
    geometry = grid_of(image)
    return shared_array(image).reshape(*geometry.shape_kji, file.components), geometry
