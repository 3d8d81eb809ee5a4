"""One slice of a volume, cut so that its middle tells nothing about the object."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.nouns.image import Image

BoolArray = NDArray[np.bool_]

_SIDES = (0.6, 0.9)  # of the image's side
_SHARE = 0.5  # of the object that must stay inside
_TRIES = 200


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


def _range(size: int, rng: np.random.Generator) -> slice:
    length = max(1, round(rng.uniform(*_SIDES) * size))
    start = int(rng.integers(size - length + 1))
    return slice(start, start + length)
