"""An image ready for prompts: on the backbone's grid, and seen by its encoder."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from DiffusionSegLib.backbones.generative.interface import GenerativeBackbone
from DiffusionSegLib.errors import InputError
from DiffusionSegLib.methods.diffugts.checks import check_image
from DiffusionSegLib.methods.diffugts.intensities import IntensityRange, IntensityRule
from DiffusionSegLib.methods.diffugts.modality import Modality, choose_modality
from DiffusionSegLib.methods.diffugts.working_grid import WorkingGrid, padded
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.prompt import Box

__all__ = ["DiffuGtsEmbedding", "Reading", "embed_image"]


@dataclass(frozen=True, eq=False)
class Reading:
    """An image read as one kind of scan. picture: (1, 1, K, J, I) in [0, 1], padded."""

    modality: Modality
    intensities: IntensityRange
    picture: Tensor


@dataclass(eq=False)
class DiffuGtsEmbedding:
    """geometry: of the whole image; scan: the region of it on the backbone's grid, (1, K, J, I)
    float32, not padded; source: the region as it was.

    What a network found is kept here by whoever computed it, under a key that says from what.
    """

    geometry: Geometry
    dimension: int
    source: Image
    scan: Image
    multiples: tuple[int, int, int]
    rule: IntensityRule
    kept: dict[object, object] = field(default_factory=dict)

    @property
    def grid(self) -> Geometry:
        """The backbone's grid over the region."""
        return self.scan.geometry

    def read_as(self, choice: str) -> Reading:
        """The picture for a modality; see choose_modality."""
        key = ("reading", choice)
        if key not in self.kept:
            modality = choose_modality(self.source, choice)
            intensities = self.rule.range_of(self.source, modality)
            picture = padded(intensities.unit(self.scan.array[0]), self.multiples)
            self.kept[key] = Reading(modality, intensities, picture)
        found = self.kept[key]
        assert isinstance(found, Reading)
        return found


def embed_image(
    image: Image,
    region: Box | None,
    backbone: GenerativeBackbone,
    grid: WorkingGrid,
    rule: IntensityRule,
    model: str = "",
) -> DiffuGtsEmbedding:
    """Check, crop to the region and resample. model: its name in sentences.

    Raises InputError, PromptError.
    """
    part = image if region is None else image.crop(region.slices_kji(image.geometry))
    check_image(part, backbone.dims, model or backbone.name)
    scan = grid.on_grid(part)
    if not np.isfinite(scan.array).all():
        raise InputError(
            "This image has voxels that are not numbers, or too large for single precision; "
            "replace them (for instance by 0) and try again."
        )
    multiple = backbone.multiple
    multiples = (1 if backbone.dims == 2 else multiple, multiple, multiple)
    return DiffuGtsEmbedding(image.geometry, image.dimension, part, scan, multiples, rule)


def as_batch(picture: Tensor, dims: int) -> Tensor:
    """(items, 1, *voxels) of (1, 1, K, J, I): slices for a two-dimensional backbone."""
    return picture[0].transpose(0, 1) if dims == 2 else picture


def as_volume(items: Tensor, dims: int) -> Tensor:
    """(K, J, I), the reverse, of (items, *voxels)."""
    return items if dims == 2 else torch.squeeze(items, 0)
