"""The prompt-free part of cDAL: the image on the model's grid, ready to be cut into windows."""

from __future__ import annotations

from dataclasses import dataclass

from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.errors import InputError
from DiffusionSegLib.methods.cdal.model_input import ChannelSource, channel_source, match_channels
from DiffusionSegLib.methods.cdal.recipe import Recipe
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.prompt import Box
from DiffusionSegLib.progress import Progress


@dataclass(frozen=True)
class CdalEmbedding:
    """geometry: of the whole image; grid: the model's grid over the region; source: the input."""

    geometry: Geometry
    dimension: int
    grid: Geometry
    source: ChannelSource


def embed_image(
    model: ModelEntry, recipe: Recipe, image: Image, region: Box | None, progress: Progress
) -> CdalEmbedding:
    """Check, crop to the region, resample and find the intensity limits; raises InputError."""
    progress.report(0.0, "Preparing the image")
    image, places = match_channels(model, image)
    _check_dimension(model, recipe, image)
    part = image if region is None else image.crop(region.slices_kji(image.geometry))
    on_grid = recipe.grid.to_model(part)
    progress.report(0.8)
    source = channel_source(on_grid, places, recipe.intensity)
    progress.report(1.0)
    return CdalEmbedding(image.geometry, image.dimension, on_grid.geometry, source)


def _check_dimension(model: ModelEntry, recipe: Recipe, image: Image) -> None:
    if recipe.grid.is_volumetric and image.geometry.shape_kji[0] < 2:
        raise InputError(
            f"The model {model.id} outlines volumes, but this image has a single slice; open the "
            "whole volume."
        )
