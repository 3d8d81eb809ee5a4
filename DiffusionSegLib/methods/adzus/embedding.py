"""An image ready for prompts: its slices, and those of them that the network has seen."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from DiffusionSegLib.backbones.latent_diffusion.interface import LatentDiffusion
from DiffusionSegLib.errors import InputError
from DiffusionSegLib.methods.adzus.pass_sides import LARGEST_SIDE
from DiffusionSegLib.methods.adzus.plane import Plane, make_plane
from DiffusionSegLib.methods.adzus.reading import PlaneReader
from DiffusionSegLib.methods.adzus.slice_picture import IntensityWindow, choose_window
from DiffusionSegLib.methods.adzus.slice_sight import SliceSight
from DiffusionSegLib.methods.adzus.slice_stack import SliceStack, best_axis
from DiffusionSegLib.methods.adzus.view import View
from DiffusionSegLib.methods.mark_places import refuse_outside_region
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.prompt import Box, Prompt
from DiffusionSegLib.progress import Progress

__all__ = ["AdzusEmbedding", "PlaneSettings", "embed_image"]

_KEPT_READERS = 4


@dataclass(frozen=True)
class PlaneSettings:
    """What a slice's pass depends on. largest_side: pixels that the network is shown; kept: slices
    that stay ready, which the pass does not depend on."""

    timestep: int
    window: str
    largest_side: int = LARGEST_SIDE
    kept: int = field(default=4, compare=False)


@dataclass(eq=False)
class AdzusEmbedding:
    """geometry: of the whole image; stack: of the region. Slices are made ready when they are first
    asked for, and the last few are kept."""

    geometry: Geometry
    dimension: int
    stack: SliceStack
    backbone: LatentDiffusion
    _planes: OrderedDict[tuple[Any, ...], Plane] = field(default_factory=OrderedDict)
    _readers: OrderedDict[tuple[Any, ...], PlaneReader] = field(default_factory=OrderedDict)
    _windows: dict[str, IntensityWindow] = field(default_factory=dict)
    _sights: dict[PlaneSettings, dict[int, SliceSight]] = field(default_factory=dict)

    def check_marks(self, prompt: Prompt) -> None:
        """Raises PromptError for points and boxes outside the region that is looked at."""
        if self.stack.image.geometry != self.geometry:
            refuse_outside_region(prompt, self.stack.image.geometry)

    def plane(self, number: int, view: View, settings: PlaneSettings, progress: Progress) -> Plane:
        """One slice, seen through the view."""
        key = (number, view, settings)
        plane = self._planes.get(key)
        if plane is None:
            picture = self.window(settings.window).picture(view.cut(self.stack.slice(number)))
            plane = make_plane(
                picture, self.backbone, settings.timestep, progress, settings.largest_side
            )
            _keep(self._planes, key, plane, settings.kept)
            self._forget_readers()
        self._planes.move_to_end(key)
        return plane

    def sights(self, settings: PlaneSettings) -> dict[int, SliceSight]:
        """What following needs of slices that were ready once, by number: it grows, and a further
        click needs no further pass. Only the settings used last are kept."""
        if settings not in self._sights:
            self._sights = {settings: {}}
        return self._sights[settings]

    def reader(self, plane: Plane, evidence: str) -> PlaneReader:
        """Of a plane; what it read is kept as long as it."""
        key = (id(plane), evidence)
        reader = self._readers.get(key)
        if reader is None or reader.plane is not plane:
            reader = PlaneReader(plane, evidence)
            _keep(self._readers, key, reader, _KEPT_READERS)
        self._readers.move_to_end(key)
        return reader

    def _forget_readers(self) -> None:
        """Those of slices that are not ready any more: a reader holds its slice."""
        ready = {id(plane) for plane in self._planes.values()}
        for key in [key for key in self._readers if key[0] not in ready]:
            del self._readers[key]

    def window(self, choice: str) -> IntensityWindow:
        """How intensities become a picture; one for all slices."""
        if choice not in self._windows:
            self._windows[choice] = choose_window(self.stack.image, choice)
        return self._windows[choice]


def embed_image(image: Image, region: Box | None, backbone: LatentDiffusion) -> AdzusEmbedding:
    """Crop to the region and choose the axis. Raises InputError for an image without contrast."""
    part = image if region is None else image.crop(region.slices_kji(image.geometry))
    shown = part.array if len(part.array) == 3 else part.array[:1]  # as it will be pictured
    if not np.isfinite(shown).all():
        raise InputError(
            "The image holds values that are no numbers (NaN or infinite); replace them first."
        )
    if float(shown.min()) == float(shown.max()):
        raise InputError(
            f"Every voxel of the image has the value {float(shown.min()):g}; there is nothing to "
            "outline. Choose another image or a larger region."
        )
    stack = SliceStack(part, best_axis(part.geometry))
    return AdzusEmbedding(image.geometry, image.dimension, stack, backbone)


def _keep(
    memory: OrderedDict[tuple[Any, ...], Any], key: tuple[Any, ...], value: Any, most: int
) -> None:
    memory[key] = value
    while len(memory) > most:
        memory.popitem(last=False)
