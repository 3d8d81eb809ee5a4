"""The grid on which a model works, and the way of an image onto it.

Volumes for 3D models are first turned to the nearest standing orientation (axes towards left,
posterior, superior), so that flipped, permuted and left-handed storage give the same answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.shrink import block_mean


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
        """Read from a model card."""
        spacing = values.get("spacing_mm")
        return ModelGrid(
            str(values["kind"]),
            tuple(values["window_kji"]),
            None if spacing is None else tuple(spacing),
            float(values.get("overlap", 0.25)),
            tuple(values["largest_kji"]) if values.get("largest_kji") else None,
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
        factors = _shrink_factors(image.geometry, target)
        if max(factors) > 1:
            image = block_mean(image, factors)
        return image.resampled(target)


def standing_image(image: Image) -> Image:
    """The same voxels at the same places, stored along L, P, S; a view, not a copy."""
    order, signs = _nearest_axes(np.asarray(image.geometry.direction))
    array = image.array.transpose(0, *(3 - source for source in reversed(order)))
    array = array[(slice(None), *(slice(None, None, sign) for sign in reversed(signs)))]
    return replace(image, array=array, geometry=standing_geometry(image.geometry))


def standing_geometry(geometry: Geometry) -> Geometry:
    """The same voxels, stored with axes nearest to left, posterior, superior: no interpolation."""
    order, signs = _nearest_axes(np.asarray(geometry.direction))
    shape_ijk = np.array(geometry.shape_kji[::-1])
    matrix = geometry.ijk_to_lps
    turned = np.eye(4)
    turned[:3, 3] = matrix[:3, 3]
    for target, (source, sign) in enumerate(zip(order, signs, strict=True)):
        turned[:3, target] = matrix[:3, source] * sign
        if sign < 0:
            turned[:3, 3] += matrix[:3, source] * (shape_ijk[source] - 1)
    shape = [int(shape_ijk[source]) for source in order]
    return Geometry.from_ijk_to_lps(shape[::-1], turned)


def _nearest_axes(direction: np.ndarray[Any, Any]) -> tuple[list[int], list[int]]:
    """For each of L, P, S: the storage axis closest to it, and its sign; each axis used once."""
    strength = np.abs(direction)
    order, signs = [-1] * 3, [1] * 3
    for _ in range(3):
        world, axis = np.unravel_index(int(np.argmax(strength)), (3, 3))
        order[world], signs[world] = int(axis), 1 if direction[world, axis] >= 0 else -1
        strength[world, :] = strength[:, axis] = -1
    return order, signs


def _shrink_factors(source: Geometry, target: Geometry) -> tuple[int, int, int]:
    """Whole blocks of source voxels that fit into a target voxel, along source k, j, i."""
    axes = np.linalg.inv(source.ijk_to_lps[:3, :3]) @ target.ijk_to_lps[:3, :3]
    widths_ijk = np.abs(axes).max(axis=1)
    fi, fj, fk = (max(1, int(width + 0.05)) for width in widths_ijk)
    return fk, fj, fi
