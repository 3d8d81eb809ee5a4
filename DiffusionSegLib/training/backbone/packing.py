"""Builds the packed file from folders of images. Labels are not looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.backbone.pack import Pack, Picture, write_pack
from DiffusionSegLib.training.backbone.sources import Source
from DiffusionSegLib.training.eight_bits import eight_bits, fitted
from DiffusionSegLib.training.splits import PARTS, split_cases

__all__ = ["pack_sources", "source_split"]

_MARGIN = 0.15  # of a volume's slices at either end, where there is often nothing
_PACKED_PARTS = ("train", "validation")  # what is not in the file cannot be learnt


def pack_sources(
    sources: Sequence[Source],
    data: Path,
    embed: Callable[[str], Tensor],
    out: Path,
    progress: Progress,
) -> Pack:
    """Read, split by patient and write everything but the test part.

    data: the folder of the data sets; embed: a text to its (1, tokens, features) states.
    """
    captions = {"": 0}
    pictures: list[Picture] = []
    split: dict[str, dict[str, None]] = {part: {} for part in PARTS}
    for source in progress.track(sources, "Packing images"):
        for part, cases in source_split(source, data).items():
            split[part].update(dict.fromkeys(f"{source.folder}/{case}" for case in cases))
            if part not in _PACKED_PARTS:
                continue
            for case, path in cases.items():
                texts = source.captions_of(case)
                numbers = tuple(captions.setdefault(text, len(captions)) for text in texts)
                name = f"{source.folder}/{case}"
                for pixels in _pixels(source, path):
                    pictures.append(Picture(source.name, name, part, pixels, numbers))
    text = torch.cat([embed(caption) for caption in captions])
    weights = {source.name: source.weight for source in sources}
    named = {part: list(cases) for part, cases in split.items()}
    pack = Pack(tuple(pictures), tuple(captions), text, weights, named)
    write_pack(out, pack)
    return pack


def source_split(source: Source, data: Path) -> dict[str, dict[str, Path]]:
    """The files of each part by case: all cases of a patient are in one part."""
    found = source.files(data)
    patients = split_cases([source.patient_of(case) for case in found], source.strata)
    part_of = {patient: part for part, members in patients.items() for patient in members}
    parts: dict[str, dict[str, Path]] = {part: {} for part in patients}
    for case, path in found.items():
        parts[part_of[source.patient_of(case)]][case] = path
    return parts


def _pixels(source: Source, path: Path) -> Iterator[Tensor]:
    """(1 or 3, rows, columns) uint8 of a picture, or of some slices of a volume."""
    array = eight_bits(source.intensity, Image.read(path).array)
    for axis in source.axes:
        moved = np.moveaxis(array, 1 + "kji".index(axis), 1)
        for place in _places(moved.shape[1], source.slices):
            yield fitted(np.ascontiguousarray(moved[:, place]))


def _places(count: int, wanted: int) -> list[int]:
    """Evenly spread slice numbers, away from both ends."""
    if wanted >= count:
        return list(range(count))
    chosen = np.linspace(_MARGIN, 1 - _MARGIN, wanted) if wanted > 1 else np.array([0.5])
    return [int(place) for place in np.unique(np.round(chosen * (count - 1)))]
