"""The types of tumor that are left out one by one, and pictures that hold none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.training.backbone.packing import source_split
from DiffusionSegLib.training.diffugts.sources import load_lesion_sources
from Testing.Benchmarks.zero_shot.cases import ZeroShotCase, load_cases
from Testing.Benchmarks.zero_shot.sets import ALL, find_set
from Testing.Benchmarks.zero_shot.slices import random_cut

OPEN = "open"  # folder below --data that training is given


@dataclass(frozen=True)
class Asked:
    """data_set: of zero_shot/sets.py; kinds: how the training calls its images; text: the words
    that DiffuGTS is given; fold: the model that never saw such a tumor, "" for healthy pictures."""

    data_set: str
    kinds: tuple[str, ...]
    text: str
    fold: str = ""


TYPES: Mapping[str, Asked] = {
    "brain": Asked("brain-tumor", ("brain",), "brain tumor", "brain"),
    "lung": Asked("lung-tumor", ("lung",), "lung tumor", "lung"),
    "hepatic": Asked("hepatic-tumor", ("hepatic",), "liver tumor", "hepatic"),
    "sarcoma-ct": Asked("sarcoma-ct", ("sarcoma-ct",), "soft tissue sarcoma", "sarcoma"),
    "sarcoma-mr": Asked("sarcoma-mr", ("sarcoma-mr",), "soft tissue sarcoma", "sarcoma"),
}
HEALTHY: Mapping[str, Asked] = {
    "pancreas": Asked("pancreas", ("pancreas",), "pancreatic tumor"),
    "hippocampus": Asked("hippocampus", ("hippocampus",), "brain tumor"),
}
# One patient, whom a split by patient puts into the train part: told apart in the table.
CHAOS = Asked(f"{OPEN}/chaos_ct_sample", ("abdomen",), "liver tumor")
_CHAOS_SLICES = 12


@dataclass(frozen=True, eq=False)
class CutCase:
    """case: cut so that the middle tells nothing; in_test: whether its patient is of the part of
    the split that no training saw."""

    case: ZeroShotCase
    in_test: bool


def cut_cases(
    asked: Asked, data: Path | None, limit: int | None = None, seed: int = 0
) -> Iterator[CutCase]:
    """All cases of a type, sorted, each cut at random by the same rule.

    data: the folder that holds open/; None the bundled samples, which are of the test part. limit:
    at most so many, evenly. Raises InputError for what is missing.
    """
    found, _ = find_set(asked.data_set, data)
    is_cut = any(source.volume for source in found.sources)  # load_cases did
    known = None if data is None else held_out_names(asked, data)
    for case in load_cases(asked.data_set, data, ALL, limit, seed):
        if not is_cut:
            image, truth = random_cut(case.image, case.truth, case.name, seed)
            case = replace(case, image=image, truth=truth)
        yield CutCase(case, known is None or case.name in known)


def held_out_names(asked: Asked, data: Path) -> frozenset[str]:
    """Stems of the cases that the split of the training keeps for testing."""
    names: set[str] = set()
    for source in load_lesion_sources():
        if source.kind in asked.kinds:
            names |= set(source_split(source.images, data / OPEN)["test"])
    return frozenset(names)


def chaos_slices(data: Path, seed: int = 0) -> list[Image]:
    """Slices with liver of the one healthy abdomen, spread evenly, each cut by the same rule."""
    folder = data / CHAOS.data_set
    images, labels = sorted(folder.glob("images/*")), sorted(folder.glob("labels/*"))
    if not images or not labels:
        raise InputError(f"{folder} holds no images and labels; give the folder that has open/.")
    image, liver = Image.read(images[0]), Image.read(labels[0]).array[0] > 0
    shown = np.flatnonzero(liver.any(axis=(1, 2)))
    places = shown[np.linspace(0, len(shown) - 1, _CHAOS_SLICES).round().astype(int)]
    cut = []
    for k in np.unique(places):
        flat = replace(
            image.crop((slice(int(k), int(k) + 1), slice(None), slice(None))),
            dimension=2, channel_names=("ct",),
        )  # fmt: skip
        whole = np.ones(flat.geometry.shape_kji, bool)
        cut.append(random_cut(flat, whole, f"chaos {k}", seed)[0])
    return cut
