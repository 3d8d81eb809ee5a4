"""An image: channels of voxels that know where they lie in the patient."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from DiffusionSegLib.errors import GeometryError, InputError
from DiffusionSegLib.nouns.geometry import Geometry

__all__ = ["RGB_NAMES", "Image", "Interpolation"]

Interpolation = Literal["linear", "nearest"]
RGB_NAMES = ("red", "green", "blue")


@dataclass(frozen=True, eq=False)
class Image:
    """`array` is (channels, k, j, i) in the type it was stored in; all channels share `geometry`.

    A photograph is an image with one slice, `dimension` 2, 1 mm pixels and identity direction in
    LPS: pixel (i, j) lies at RAS (-i, -j, 0). `dimension` 0 means: 2 for one slice, else 3.
    """

    array: NDArray[Any]
    geometry: Geometry
    channel_names: tuple[str, ...] = ()
    dimension: int = 0
    path: Path | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.array.ndim != 4 or self.array.shape[1:] != self.geometry.shape_kji:
            raise InputError(
                f"An image's array must be (channels, k, j, i) with {self.geometry.shape_kji} "
                f"voxels, not {self.array.shape}."
            )
        if self.array.dtype.kind not in "buif":
            raise InputError(f"An image holds real numbers, not {self.array.dtype}.")
        names = tuple(self.channel_names) or _default_names(len(self.array))
        if len(names) != len(self.array):
            raise InputError(f"{len(self.array)} channels cannot have the names {names}.")
        one_slice = self.geometry.shape_kji[0] == 1
        dimension = self.dimension or (2 if one_slice else 3)
        if dimension not in (2, 3) or (dimension == 2 and not one_slice):
            raise InputError(f"An image of {self.geometry.shape_kji} voxels is not {dimension}D.")
        object.__setattr__(self, "channel_names", names)
        object.__setattr__(self, "dimension", dimension)

    @classmethod
    def read(cls, path: str | Path | Sequence[str | Path], series: str | None = None) -> Image:
        """Read a file or a DICOM folder; several paths are co-registered channels of one image.

        Further channels are resampled linearly onto the grid of the first. `series` is the
        SeriesInstanceUID to take from a DICOM folder that holds several. Raises InputError with
        one sentence for whatever cannot be used, GeometryError when channels do not overlap.
        """
        from DiffusionSegLib.io.reading import read_image

        if isinstance(path, str | Path):
            return read_image(Path(path), series)
        return cls.stack([read_image(Path(part), series) for part in path])

    @classmethod
    def from_array(
        cls,
        array: ArrayLike,
        geometry: Geometry | None = None,
        channel_names: Sequence[str] = (),
        spacing_mm: Sequence[float] = (1.0, 1.0, 1.0),
    ) -> Image:
        """An image from (j, i), (k, j, i) or (channels, k, j, i); identity direction by default."""
        values = np.asarray(array)
        if not 2 <= values.ndim <= 4:
            raise InputError(f"An image's array has 2, 3 or 4 axes, not {values.ndim}.")
        values = values.reshape((1,) * (4 - values.ndim) + values.shape)
        if geometry is None:
            first, second, third = spacing_mm
            grid: tuple[int, ...] = values.shape
            geometry = Geometry((grid[-3], grid[-2], grid[-1]), (first, second, third))
        return cls(values, geometry, tuple(channel_names))

    @classmethod
    def stack(cls, images: Sequence[Image]) -> Image:
        """One image of all channels, on the grid of the first.

        Raises GeometryError when an image does not overlap the first one in space.
        """
        if not images:
            raise InputError("No image was given; name at least one file.")
        first = images[0]
        if len(images) == 1:
            return first
        for image in images[1:]:
            _check_overlap(first, image)
        parts = [image.resampled(first.geometry).array for image in images]
        names = [name for image in images for name in _stacked_names(image)]
        return cls(
            np.concatenate(parts), first.geometry, _unique(names), first.dimension, first.path
        )

    @property
    def is_rgb(self) -> bool:
        """Whether the channels are red, green and blue."""
        return self.channel_names == RGB_NAMES

    def channel(self, index: int) -> Image:
        """One channel as an image of its own; the array is shared, not copied."""
        if not -len(self.array) <= index < len(self.array):
            raise InputError(f"The image has {len(self.array)} channels, no number {index}.")
        index %= len(self.array)
        return replace(
            self,
            array=self.array[index : index + 1],
            channel_names=self.channel_names[index : index + 1],
        )

    def crop(self, slices_kji: Sequence[slice]) -> Image:
        """The part `array[:, *slices_kji]` at its place in the world; shared, not copied."""
        geometry = self.geometry.crop(slices_kji)
        slices, rows, columns = slices_kji
        return replace(self, array=self.array[:, slices, rows, columns], geometry=geometry)

    def resampled(
        self,
        geometry: Geometry,
        interpolation: Interpolation = "linear",
        outside: float | None = None,
    ) -> Image:
        """The image on another grid, same type; voxels outside the old grid get `outside`
        (None: the smallest value of their channel)."""
        if geometry == self.geometry:
            return self
        from DiffusionSegLib.nouns.resample import resample

        array = resample(self.array, self.geometry, geometry, interpolation, outside)
        return Image(array, geometry, self.channel_names, path=self.path)

    def write(self, path: str | Path) -> None:
        """Write to .nrrd, .mha, .nii, .nii.gz, or 2D to .png, .jpg, .tif, .webp, .bmp.

        The old file stays until the new one is complete; raises OutputError.
        """
        from DiffusionSegLib.io.writing import write_image

        write_image(self, Path(path))

    def content_hash(self) -> str:
        """sha256 of the voxels, their type and the geometry; equal images have equal hashes."""
        digest = hashlib.sha256()
        digest.update(repr((self.array.dtype.str, self.array.shape, self.geometry)).encode())
        for channel in self.array:
            for slice_ji in channel:
                digest.update(np.ascontiguousarray(slice_ji).data)
        return digest.hexdigest()


def _default_names(count: int) -> tuple[str, ...]:
    return ("image",) if count == 1 else tuple(f"channel {n}" for n in range(1, count + 1))


def _stacked_names(image: Image) -> tuple[str, ...]:
    if len(image.array) == 1 and image.path is not None:
        return (image.path.name.split(".")[0],)
    return image.channel_names


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    kept: list[str] = []
    for name in names:
        number, candidate = 2, name
        while candidate in kept:
            candidate, number = f"{name} {number}", number + 1
        kept.append(candidate)
    return tuple(kept)


def _check_overlap(first: Image, second: Image) -> None:
    """Look for any voxel centre of a coarse lattice in the second that lies in the first."""
    if first.dimension != second.dimension:
        raise GeometryError(
            f"{_begun(second)} is {second.dimension}D and {_shown(first)} is {first.dimension}D; "
            "channels of one image must be of one kind."
        )
    axes = [np.linspace(-0.5, n - 0.5, min(n + 1, 33)) for n in second.geometry.shape_kji]
    lattice = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    if not first.geometry.contains_ras(second.geometry.kji_to_ras(lattice)).any():
        raise GeometryError(
            f"{_begun(second)} does not overlap {_shown(first)} in space "
            f"({_extent(second)} against {_extent(first)}); channels must show the same place, "
            "so check the files or register the images first."
        )


def _shown(image: Image) -> str:
    return f"the image {image.path.name}" if image.path is not None else "an image"


def _begun(image: Image) -> str:
    """At the beginning of a sentence."""
    shown = _shown(image)
    return f"{shown[0].upper()}{shown[1:]}"


def _extent(image: Image) -> str:
    low, high = image.geometry.extent_ras_mm()
    return " x ".join(f"{a:.0f}..{b:.0f}" for a, b in zip(low, high, strict=True)) + " mm RAS"
