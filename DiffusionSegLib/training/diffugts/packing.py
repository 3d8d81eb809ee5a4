"""Builds the packed file from folders of images and label maps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.backbone.packing import source_split
from DiffusionSegLib.training.diffugts.pack import Pack, Picture, write_pack
from DiffusionSegLib.training.diffugts.sources import LesionSource
from DiffusionSegLib.training.diffugts.texts import text_pairs
from DiffusionSegLib.training.eight_bits import eight_bits, fitted
from DiffusionSegLib.training.splits import PARTS

__all__ = ["pack_lesions"]

_PACKED_PARTS = ("train", "validation")  # what is not in the file cannot be learned
_CLEAR = 0.3  # of a tumor's largest cross-section: slices with less are not taken
_DARK, _LEAST_BODY = 15, 0.02  # of 255, and the share of brighter pixels that a picture needs
_MARGIN = 0.15  # of a volume's slices at either end, where there is often nothing


def pack_lesions(
    sources: Sequence[LesionSource],
    data: Path,
    embed: Callable[[Sequence[str]], Tensor],
    out: Path,
    progress: Progress,
) -> Pack:
    """Read, split by patient and write everything but the test part.

    data: the folder of the data sets; embed: texts to their (n, width) vectors. Raises InputError.
    """
    texts: dict[str, int] = {}
    pictures: list[Picture] = []
    split: dict[str, dict[str, None]] = {part: {} for part in PARTS}
    for source in progress.track(sources, "Packing images"):
        pairs = text_pairs(source.modality, source.organ, source.findings)
        numbers = tuple(
            (texts.setdefault(a, len(texts)), texts.setdefault(b, len(texts))) for a, b in pairs
        )
        for part, cases in source_split(source.images, data).items():
            split[part].update(dict.fromkeys(f"{source.images.folder}/{case}" for case in cases))
            if part in _PACKED_PARTS:
                for case, path in cases.items():
                    label = source.label_of(data, case)
                    pictures += _pictures(source, case, part, numbers, path, label)
    named = {part: list(cases) for part, cases in split.items()}
    pack = Pack(tuple(pictures), tuple(texts), embed(list(texts)), named)
    write_pack(out, pack)
    return pack


def _pictures(
    source: LesionSource,
    case: str,
    part: str,
    texts: tuple[tuple[int, int], ...],
    path: Path,
    label: Path | None,
) -> Iterator[Picture]:
    name = f"{source.images.folder}/{case}"
    patient = f"{source.images.folder}/{source.images.patient_of(case)}"
    for pixels, mask in _slices(source, path, label):
        found = bool(mask.any())
        empty = float((pixels > _DARK).float().mean()) < _LEAST_BODY
        if not empty and (found or not source.only_with_tumor):
            healthy = source.healthy and not found
            yield Picture(
                source.kind, source.tumor, name, patient, part, healthy, texts, pixels, mask
            )


def _slices(
    source: LesionSource, path: Path, label: Path | None
) -> Iterator[tuple[Tensor, Tensor]]:
    """(rows, columns) uint8 and bool of a picture, or of some slices of a volume."""
    image = Image.read(path)
    array = eight_bits(source.intensity, image.array)
    mask = np.zeros(image.geometry.shape_kji, dtype=bool)
    if label is not None:
        values = Mask.read(label).array
        if values.shape != mask.shape:
            raise InputError(f"The label {label} does not lie on the grid of its image {path}.")
        mask = np.isin(values, source.values) if source.values else values > 0
    for place in _places(mask, source):
        shown, inside = array[:, place].astype(np.float32), mask[place]
        yield _smaller(np.round(shown.mean(axis=0)).astype(np.uint8), inside)


def _smaller(pixels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> tuple[Tensor, Tensor]:
    """A pixel of the smaller mask is inside when most of it is."""
    return fitted(pixels[None])[0], fitted(mask[None].astype(np.uint8) * 255)[0] > 127


def _places(mask: NDArray[np.bool_], source: LesionSource) -> list[int]:
    """Slices spread over the tumor, and some without it."""
    if len(mask) == 1:
        return [0]
    area = mask.reshape(len(mask), -1).sum(axis=1)
    with_tumor = np.flatnonzero(area > _CLEAR * area.max())
    free = np.flatnonzero(area == 0)
    if not area.any():
        ends = int(_MARGIN * len(free))
        free = free[ends : len(free) - ends]
    return [*_spread(with_tumor, source.tumor_slices), *_spread(free, source.free_slices)]


def _spread(places: NDArray[np.intp], count: int) -> list[int]:
    if not len(places):
        return []
    if count == 1:
        return [int(places[len(places) // 2])]
    chosen = np.unique(np.round(np.linspace(0, len(places) - 1, count)).astype(int))
    return [int(places[n]) for n in chosen]
