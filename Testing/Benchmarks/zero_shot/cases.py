"""Reads the 2D cases of a data set: an image, and where its object is.

    for case in load_cases("skin-lesion", Path("DATA"), part="validation"):
        case.image, case.truth  # Image (channels, 1, rows, columns), bool (1, rows, columns)

Of a volume the slice with the largest object is shown, cut at random (see slices.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.evaluation.cases import stem_of
from DiffusionSegLib.evaluation.truth import read_truth
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from Testing.Benchmarks.zero_shot.sets import MORE_SETS, SAMPLE_SETS, SETS, Source, find_set
from Testing.Benchmarks.zero_shot.sets import check_part as _checked_part
from Testing.Benchmarks.zero_shot.slices import cut_around_one, largest_slice, random_cut

__all__ = ["MORE_SETS", "SAMPLE_SETS", "SETS", "ZeroShotCase", "load_cases"]

BoolArray = NDArray[np.bool_]
Reader = Callable[[], "ZeroShotCase"]


@dataclass(frozen=True, eq=False)
class ZeroShotCase:
    """image: one slice, dimension 2; truth (1, rows, columns), never empty; group: the patient, or
    what stands for it."""

    name: str
    image: Image
    truth: BoolArray
    group: str


def load_cases(
    name: str, data: Path | None, part: str = "test", limit: int | None = None, seed: int = 0
) -> Iterator[ZeroShotCase]:
    """The cases of a data set below `data` (None: the bundled samples) that show the object.

    limit: at most so many, evenly over the sorted names; seed decides the cuts of volumes. Raises
    UnknownNameError, and InputError for what is missing.
    """
    found, root = find_set(name, data)
    _checked_part(part)
    usable = []
    for source in found.sources:
        labels = _files(root / source.folder / "labels")
        names = sorted(set(labels) - set(source.left_out))
        for stem in found.in_part(source, names, part):
            if _is_object(Mask.read(labels[stem]).array, source).any():
                usable.append(partial(_read, root / source.folder, source, stem, seed))
    for read in _evenly(usable, limit):
        yield read()


def _evenly(items: list[Reader], limit: int | None) -> list[Reader]:
    if limit is None or limit >= len(items):
        return items
    return [items[number * len(items) // limit] for number in range(limit)]


def _read(folder: Path, source: Source, stem: str, seed: int) -> ZeroShotCase:
    images, labels = _files(folder / "images"), _files(folder / "labels")
    if stem + source.suffix not in images:
        raise InputError(f"{folder / 'images'} holds no image {stem + source.suffix}; complete it.")
    image = Image.read(images[stem + source.suffix])
    truth = _is_object(read_truth(labels[stem], image).mask.array, source)
    if source.volume:
        image, truth = random_cut(*largest_slice(image, truth), name=stem, seed=seed)
        if source.suffix:
            image = Image(image.array, image.geometry, (source.suffix.lstrip("_"),))
    if source.many:
        image, truth = cut_around_one(image, truth, name=stem, seed=seed)
    return ZeroShotCase(stem, image, truth, source.group(stem))


def _is_object(values: NDArray[np.uint8], source: Source) -> BoolArray:
    inside: BoolArray = np.isin(values, source.values) if source.values else values > 0
    return inside


def _files(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        return {}
    stems = ((stem_of(path), path) for path in sorted(folder.iterdir()))
    return {stem: path for stem, path in stems if stem is not None}
