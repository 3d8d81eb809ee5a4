"""An outline: one label value per voxel, with the names of the labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.label import Label, label_for
from DiffusionSegLib.nouns.provenance import Provenance

__all__ = ["Mask"]

_FEW_VALUES = 16


@dataclass(frozen=True, eq=False)
class Mask:
    """`array` (k, j, i) of uint8 label values, 0 is background; `labels` names the values.

    Values without a label get one ("Label 3"). `dimension` 0 means: 2 for one slice, else 3.
    """

    array: NDArray[np.uint8]
    geometry: Geometry
    labels: tuple[Label, ...] = ()
    provenance: Provenance | None = None
    dimension: int = 0

    def __post_init__(self) -> None:
        array = _as_uint8(self.array)
        if array.shape != self.geometry.shape_kji:
            raise InputError(
                f"A mask's array must be (k, j, i) with {self.geometry.shape_kji} voxels, "
                f"not {array.shape}."
            )
        values = [label.value for label in self.labels]
        if len(set(values)) != len(values):
            raise InputError(f"Each label needs a value of its own, but the values are {values}.")
        unnamed = tuple(label_for(value) for value in _present(array) if value not in values)
        one_slice = self.geometry.shape_kji[0] == 1
        object.__setattr__(self, "array", array)
        object.__setattr__(self, "labels", (*self.labels, *unnamed))
        object.__setattr__(self, "dimension", self.dimension or (2 if one_slice else 3))

    @classmethod
    def read(cls, path: str | Path, labels: Sequence[Label] | None = None) -> Mask:
        """Read a label map or a 3D Slicer segmentation (.seg.nrrd); raises InputError.

        Where segments of a .seg.nrrd overlap, the later one in the file wins. `labels` replaces
        the names found in the file.
        """
        from DiffusionSegLib.io.reading import read_mask

        return read_mask(Path(path), labels)

    @classmethod
    def from_array(
        cls, array: ArrayLike, geometry: Geometry | None = None, labels: Sequence[Label] = ()
    ) -> Mask:
        """A mask from (j, i) or (k, j, i) whole numbers 0..255; identity direction by default."""
        values = np.asarray(array)
        if values.ndim == 2:
            values = values[np.newaxis]
        if values.ndim != 3:
            raise InputError(f"A mask's array has 2 or 3 axes, not {values.ndim}.")
        slices, rows, columns = values.shape
        return cls(_as_uint8(values), geometry or Geometry((slices, rows, columns)), tuple(labels))

    @property
    def is_empty(self) -> bool:
        """Whether every voxel is background."""
        return not self.array.any()

    def label(self, value: int) -> Label:
        """The label of a value; raises InputError when there is none."""
        for label in self.labels:
            if label.value == value:
                return label
        raise InputError(f"The mask has no label {value}: {[part.value for part in self.labels]}.")

    def volume_ml(self, value: int | None = None) -> float:
        """Volume of one label (None: of all of them together) in millilitres."""
        inside = self.array != 0 if value is None else self.array == value
        return float(np.count_nonzero(inside)) * self.geometry.voxel_volume_mm3 / 1000.0

    def crop(self, slices_kji: Sequence[slice]) -> Mask:
        """The part `array[slices_kji]` at its place in the world; shared, not copied."""
        geometry = self.geometry.crop(slices_kji)
        return Mask(self.array[tuple(slices_kji)], geometry, self.labels, self.provenance)

    def resampled(self, geometry: Geometry) -> Mask:
        """The nearest label on another grid; background outside the old one."""
        if geometry == self.geometry:
            return self
        from DiffusionSegLib.nouns.resample import resample

        array = resample(self.array[np.newaxis], self.geometry, geometry, "nearest", 0.0)[0]
        return Mask(array, geometry, self.labels, self.provenance)

    def write(self, path: str | Path) -> None:
        """Write to .seg.nrrd, .nrrd, .mha, .nii, .nii.gz, or 2D to .png, .tif, .bmp.

        The old file stays until the new one is complete; raises OutputError.
        """
        from DiffusionSegLib.io.writing import write_mask

        write_mask(self, Path(path))


def _present(array: NDArray[np.uint8]) -> list[int]:
    """The values above 0 that occur, ascending."""
    highest = int(array.max(initial=0))
    if highest <= _FEW_VALUES:
        # Comparing runs at the speed of memory: a hundred times faster than counting.
        return [
            value
            for value in range(1, highest + 1)
            if any((slice_ji == value).any() for slice_ji in array)
        ]
    seen = np.zeros(256, bool)
    # Slice by slice: bincount copies what it counts to eight bytes a voxel.
    for slice_ji in array:
        seen |= np.bincount(slice_ji.ravel(), minlength=256) > 0
    return [int(value) for value in np.flatnonzero(seen[1:]) + 1]


def _as_uint8(array: NDArray[Any]) -> NDArray[np.uint8]:
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind not in "buif" or not array.size:
        raise InputError(f"A mask holds whole numbers from 0 to 255, not {array.dtype}.")
    low, high = array.min(), array.max()
    # NaN fails this comparison too.
    if not (low >= 0 and high <= 255):
        raise InputError(
            f"A mask holds whole numbers from 0 to 255, but this one holds {low} to {high}."
        )
    converted = array.astype(np.uint8)
    if array.dtype.kind == "f" and not np.array_equal(converted, array):
        raise InputError("A mask holds whole numbers, but this one has fractions; round it first.")
    return converted
