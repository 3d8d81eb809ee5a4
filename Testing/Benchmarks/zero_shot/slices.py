"""One slice of a volume, or one object of a picture of many, cut so that its middle tells nothing
about the object."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from DiffusionSegLib.nouns.image import Image

BoolArray = NDArray[np.bool_]

_SIDES = (0.6, 0.9)  # of the image's side
_SHARE = 0.5  # of the object that must stay inside
_TRIES = 200
_WIDTHS = (3.0, 8.0)  # sides of a cut around one object, in roots of its area
_NARROWEST = 32  # pixels
_PLACES = (0.25, 0.75)  # of the object in it
_WHOLE = 0.8  # of the object that must stay inside


def largest_slice(image: Image, truth: BoolArray) -> tuple[Image, BoolArray]:
    """The slice k with most object pixels, as a 2D image at its place, and the truth there."""
    k = int(np.argmax(truth.sum(axis=(1, 2))))
    part = (slice(k, k + 1), slice(None), slice(None))
    geometry = image.geometry.crop(part)
    flat = Image(image.array[(slice(None), *part)], geometry, image.channel_names, dimension=2)
    return flat, truth[part]


def random_cut(image: Image, truth: BoolArray, name: str, seed: int) -> tuple[Image, BoolArray]:
    """A part whose sides are 60 to 90 % of the slice's, anywhere in it, that holds at least half of
    the object. The same name and seed give the same cut, whatever the channel."""
    rng = np.random.default_rng([seed, *name.encode()])
    rows, columns = truth.shape[1:]
    for _ in range(_TRIES):
        part = (slice(0, 1), _range(rows, rng), _range(columns, rng))
        if truth[part].sum() >= _SHARE * truth.sum():
            return replace(image.crop(part), dimension=2), truth[part]
    raise ValueError(f"no cut of {name} holds half of its object")


def cut_around_one(image: Image, truth: BoolArray, name: str, seed: int) -> tuple[Image, BoolArray]:
    """A square part around one of the connected objects, of at least usual size, and that object
    alone as the truth; it lies anywhere in the middle half of the part."""
    rng = np.random.default_rng([seed, *name.encode()])
    parts, _ = ndimage.label(truth[0])
    areas = np.bincount(parts.ravel())[1:]
    usual = np.flatnonzero(areas >= np.median(areas)) + 1
    for _ in range(_TRIES):
        number = int(rng.choice(usual))
        area = areas[number - 1]
        side = np.clip(np.sqrt(area) * rng.uniform(*_WIDTHS), _NARROWEST, min(parts.shape))
        corner = np.argwhere(parts == number).mean(axis=0) - side * rng.uniform(*_PLACES, 2)
        row, column = (
            int(np.clip(start, 0, have - side))
            for start, have in zip(corner, parts.shape, strict=True)
        )
        part = (slice(0, 1), slice(row, row + int(side)), slice(column, column + int(side)))
        one = (parts == number)[np.newaxis][part]
        if one.sum() >= _WHOLE * area:
            return replace(image.crop(part), dimension=2), one
    raise ValueError(f"no cut of {name} holds most of an object")


def _range(size: int, rng: np.random.Generator) -> slice:
    length = max(1, round(rng.uniform(*_SIDES) * size))
    start = int(rng.integers(size - length + 1))
    return slice(start, start + length)
