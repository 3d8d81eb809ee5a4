"""What the headers of DICOM files say, sorted into series."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.io.itk import itk_name, quiet_itk

__all__ = ["DicomFile", "Series", "gather_series", "read_header"]

_NEVER_DICOM = frozenset({
    ".txt", ".csv", ".json", ".xml", ".html", ".pdf", ".zip", ".gz", ".png", ".jpg", ".jpeg",
    ".nrrd", ".nii", ".mha", ".md", ".log", ".exe", ".ini", ".inf",
})  # fmt: skip
_PARALLEL = 1e-3
_PIXEL_TAGS = (b"\xe0\x7f\x10\0", b"\x7f\xe0\0\x10")
_NAMED_DICOM = frozenset({".dcm", ".dicom", ".ima"})
# Storage classes that have pixels (DICOM PS3.4 B.5): CR and DX (1), CT (2), US (3, 6), MR (4, but
# for spectroscopy, 4.2), secondary capture (7), XA and RF (12), PET (128, 130), NM (20).
_IMAGE_CLASSES = re.compile(
    rb"1\.2\.840\.10008\.5\.1\.4\.1\.1\."
    rb"(?!4\.2)(?:[123467]|12|20|128|130)(?:\.[0-9]+)*(?![0-9.])"
)


@dataclass(frozen=True, eq=False)
class DicomFile:
    """One file: its series, where its (first) slice lies in LPS mm, and its grid (i, j, frames)."""

    path: Path
    series_uid: str
    description: str
    modality: str
    is_localizer: bool
    origin_lps: NDArray[np.float64]
    direction: NDArray[np.float64]
    spacing_mm: tuple[float, float]
    size_ijk: tuple[int, int, int]
    components: int
    pixel_type: int

    @property
    def normal(self) -> NDArray[np.float64]:
        """Unit vector across the slice."""
        return np.asarray(np.cross(self.direction[:, 0], self.direction[:, 1]))

    @property
    def is_float(self) -> bool:
        """Whether the voxels, scaled, are fractions."""
        return self.pixel_type in (sitk.sitkFloat32, sitk.sitkFloat64)


@dataclass(frozen=True)
class Series:
    """The files that share one SeriesInstanceUID."""

    uid: str
    files: tuple[DicomFile, ...]

    @property
    def is_volume(self) -> bool:
        """Whether it may be a stack: several parallel slices, or one file of several frames."""
        first = self.files[0]
        if any(file.is_localizer for file in self.files):
            return False
        if len(self.files) == 1:
            return first.size_ijk[2] > 1
        return all(
            np.allclose(file.direction, first.direction, atol=_PARALLEL) for file in self.files
        )

    def __str__(self) -> str:
        first = self.files[0]
        count = sum(file.size_ijk[2] for file in self.files)
        kind = "localizer, " if first.is_localizer else ""
        name = first.description or "no description"
        return f"{name!r} ({kind}{first.modality or '?'}, {count} slices, {self.uid})"


def gather_series(folder: Path) -> list[Series]:
    """All image series below a folder; files that are not DICOM images are passed over."""
    candidates = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() not in _NEVER_DICOM and path.is_file()
    )
    with quiet_itk():
        found = [file for file in map(read_header, candidates) if file is not None]
    return _grouped(found)


def _grouped(files: Iterable[DicomFile]) -> list[Series]:
    groups: dict[str, list[DicomFile]] = {}
    for file in files:
        groups.setdefault(file.series_uid, []).append(file)
    return [Series(uid, tuple(group)) for uid, group in groups.items()]


def read_header(path: Path) -> DicomFile | None:
    """The header of one file, or None when it is not a DICOM image; refuses damaged ones."""
    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileName(itk_name(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        if _should_be_image(path):
            # Passed over, it would be a slice that is missing without anybody noticing.
            raise InputError(f"{path} is a damaged DICOM file; copy it again.") from error
        return None
    size = (*reader.GetSize(), 1, 1)
    direction = np.eye(3)
    axes = np.reshape(reader.GetDirection(), (reader.GetDimension(), reader.GetDimension()))
    direction[: min(3, len(axes)), : min(3, len(axes))] = axes[:3, :3]
    spacing = reader.GetSpacing()
    image_type = _tag(reader, "0008|0008").upper()
    return DicomFile(
        path=path,
        series_uid=_tag(reader, "0020|000e") or str(path),
        description=_tag(reader, "0008|103e"),
        modality=_tag(reader, "0008|0060"),
        is_localizer="LOCALIZER" in image_type.split("\\"),
        origin_lps=np.asarray(_three(reader.GetOrigin())),
        direction=direction,
        spacing_mm=(spacing[0], spacing[1]),
        size_ijk=(size[0], size[1], size[2]),
        components=reader.GetNumberOfComponents(),
        pixel_type=reader.GetPixelID(),
    )


def _should_be_image(path: Path) -> bool:
    """Whether it is DICOM with pixels; reports, plans and directories have none.

    Of a file that was cut before its pixels, the class tells; of an empty one its name.
    """
    try:
        data = path.read_bytes()
    except OSError:
        return False
    if not data:
        return path.suffix.lower() in _NAMED_DICOM
    if data[128:132] != b"DICM":
        return False
    return any(tag in data for tag in _PIXEL_TAGS) or bool(_IMAGE_CLASSES.search(data[:1024]))


def _tag(reader: sitk.ImageFileReader, key: str) -> str:
    return str(reader.GetMetaData(key)).strip(" \0") if reader.HasMetaDataKey(key) else ""


def _three(values: Sequence[float]) -> tuple[float, float, float]:
    padded = (*values, 0.0, 0.0)
    return padded[0], padded[1], padded[2]
