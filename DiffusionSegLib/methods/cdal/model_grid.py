"""The grid on which a model works, and the way of an image onto it.

Volumes for 3D models are first turned to the nearest standing orientation (axes towards left,
posterior, superior), so that flipped, permuted and left-handed storage give the same answer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.shrink import onto_grid
from DiffusionSegLib.nouns.standing import standing_geometry, standing_image

_LARGEST = 1 << 14  # side of a window in voxels


@dataclass(frozen=True)
class ModelGrid:
    """How a model sees space.

    kind: "spacing" (resampled to spacing_mm along i, j, k), "native" (voxels as they are) or "fit"
    (each slice stretched to the window). window_kji: what the network is given at once; its first
    entry is 1 for 2D models. overlap: of neighbouring windows, 0 to 0.9. largest_kji: an image up
    to this size is one window of its own instead of being cut (the networks are convolutional).
    """

    kind: str
    window_kji: tuple[int, int, int]
    spacing_mm: tuple[float, float, float] | None = None
    overlap: float = 0.25
    largest_kji: tuple[int, int, int] | None = None

    def __post_init__(self) -> None:
        if self.kind not in ("spacing", "native", "fit"):
            raise ValueError(f"grid kind must be spacing, native or fit, got {self.kind!r}")
        if (self.kind == "spacing") != (self.spacing_mm is not None):
            raise ValueError("a grid has spacing_mm exactly when its kind is spacing")

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> ModelGrid:
        """Read from a model card. Raises KeyError, TypeError, ValueError for what is no grid."""
        spacing, largest = values.get("spacing_mm"), values.get("largest_kji")
        return ModelGrid(
            str(values["kind"]),
            _sizes("window_kji", values["window_kji"]),
            None if spacing is None else _lengths("spacing_mm", spacing),
            float(values.get("overlap", 0.25)),
            _sizes("largest_kji", largest) if largest else None,
        )

    @property
    def is_volumetric(self) -> bool:
        """Whether windows have depth."""
        return self.window_kji[0] > 1

    def window_for(self, shape_kji: Sequence[int], stride: int) -> tuple[int, int, int]:
        """The window for an image on the model's grid: all of it where that is allowed.

        Sides are multiples of ``stride`` (1 along an axis without depth).
        """
        if self.largest_kji is None:
            return self.window_kji
        sides = []
        for size, window, largest in zip(shape_kji, self.window_kji, self.largest_kji, strict=True):
            whole = -(-size // stride) * stride if window > 1 else 1
            sides.append(max(window, whole) if size <= largest else window)
        depth, height, width = sides
        return depth, height, width

    def geometry(self, geometry: Geometry) -> Geometry:
        """The model's grid over the extent of ``geometry``."""
        if self.kind == "native":
            return geometry
        if self.kind == "fit":
            return geometry.with_shape((geometry.shape_kji[0], *self.window_kji[1:]))
        standing = standing_geometry(geometry) if self.is_volumetric else geometry
        assert self.spacing_mm is not None
        return standing.with_spacing(self.spacing_mm)

    def to_model(self, image: Image) -> Image:
        """The image on the model's grid; averaged first where the grid is much coarser."""
        if self.kind == "native":
            return image
        target = self.geometry(image.geometry)
        if self.is_volumetric and self.kind == "spacing":
            image = standing_image(image)  # so that averaged blocks start at the same corner
        return onto_grid(image, target)


def _sizes(name: str, values: Any) -> tuple[int, int, int]:
    whole = isinstance(values, Sequence) and all(type(value) is int for value in values)
    if not whole or len(values) != 3 or not all(1 <= value <= _LARGEST for value in values):
        raise ValueError(f"{name} needs three sizes from 1 to {_LARGEST}, not {values!r}")
    depth, height, width = values
    return depth, height, width


def _lengths(name: str, values: Any) -> tuple[float, float, float]:
    numbers = isinstance(values, Sequence) and all(type(value) in (int, float) for value in values)
    if not numbers or len(values) != 3 or not all(0 < value < math.inf for value in values):
        raise ValueError(f"{name} needs three lengths above zero, not {values!r}")
    i_mm, j_mm, k_mm = values
    return i_mm, j_mm, k_mm
