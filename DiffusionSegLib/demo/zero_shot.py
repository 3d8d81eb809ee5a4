"""Samples outlined once more without a model of their own: by ADZUS, told next to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from DiffusionSegLib.demo.in_words import WORDS
from DiffusionSegLib.demo.samples import Sample
from DiffusionSegLib.errors import InputError
from DiffusionSegLib.evaluation.clicks import first_click
from DiffusionSegLib.nouns.geometry import Direction, Geometry, as_direction
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Box, Point, Prompt

__all__ = ["ASKED", "asked_of", "zero_shot_samples"]

ASKED = {
    "click": "one click",
    "box": "a box on one slice",
    "nothing": "nothing said",
}
_MARGIN = 2  # pixels between the known outline and the box


def zero_shot_samples(samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """Those that say what ADZUS is to be told of them, as samples of their own."""
    return tuple(
        replace(
            sample,
            id=f"{sample.id}_{sample.zero_shot}",
            title=f"{sample.title}, {ASKED[sample.zero_shot]}",
            method="adzus",
            model="compact",
            images=sample.images[-1:],
            modality=sample.modality[-1:],
            zero_shot="",
            text="",
            told=sample.zero_shot,
        )
        for sample in samples
        if sample.zero_shot
    )


def asked_of(sample: Sample, image: Image, truth: Mask) -> tuple[Image, Mask, Prompt]:
    """What a user would show and say: the click and the box are placed by the known outline, and
    words are asked on the slice with most of it.

    Raises InputError when the known outline is empty.
    """
    if truth.is_empty:
        raise InputError(f"The known outline {sample.label} is empty; there is nothing to click.")
    if sample.told == "click":
        inside, geometry = truth.array > 0, image.geometry
        click = first_click(inside, geometry.spacing_mm[::-1])
        assert click is not None
        x, y, z = geometry.kji_to_ras([click.position_kji])[0]
        return image, truth, Prompt(points=(Point((x, y, z)),))
    if sample.told in ("box", WORDS):
        number = int((truth.array > 0).sum(axis=(1, 2)).argmax())
        cut = (slice(number, number + 1), slice(None), slice(None))
        image, truth = replace(image.crop(cut), dimension=2), replace(truth.crop(cut), dimension=2)
        if sample.told == WORDS:
            return image, truth, Prompt(text=sample.text)
        return image, truth, Prompt(boxes=(_box_around(truth),))
    return image, truth, Prompt()


def _box_around(truth: Mask) -> Box:
    """Along the axes of the image, with a margin."""
    places = np.argwhere(truth.array > 0)
    low, high = places.min(axis=0) - _MARGIN, places.max(axis=0) + _MARGIN
    low, high = np.maximum(low, 0), np.minimum(high, np.array(truth.array.shape) - 1)
    geometry = truth.geometry
    center = geometry.kji_to_ras([(low + high) / 2])[0]
    size_ijk = (high - low + 1)[::-1] * geometry.spacing_mm
    return Box(tuple(center), tuple(size_ijk), _axes_ras(geometry))


def _axes_ras(geometry: Geometry) -> Direction:
    """Columns are the directions of i, j, k."""
    steps_kji = np.concatenate([np.zeros((1, 3)), np.eye(3)])
    first, k, j, i = geometry.kji_to_ras(steps_kji)
    edges = [(one - first) / np.linalg.norm(one - first) for one in (i, j, k)]
    return as_direction(np.array(edges).T)
