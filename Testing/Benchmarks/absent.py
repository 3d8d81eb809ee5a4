"""Real images that lack a model's object, and that the model was not trained on."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.evaluation.cases import stem_of
from DiffusionSegLib.evaluation.runner import read_case
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.training.cdal.settings import load_task
from DiffusionSegLib.training.splits import split_cases
from Testing.Benchmarks.datasets import FOLDERS, find_test_cases, read_real_case

Named = tuple[str, Iterator[Image]]
Source = Callable[[ModelEntry, Path, int, np.random.Generator, int | None], list[Named]]

_CUBE_MM = 48.0
_SLAB_MM = 60.0
_CORNER = 3  # a corner is a third of each side


def absent_images(
    entry: ModelEntry, data: Path, per_image: int, seed: int, limit: int | None
) -> list[Named]:
    """(what they are, the images) for one model; data sets that are not there are left out.

    per_image: random parts cut from an image; limit: at most so many files of a kind.
    """
    return _SOURCES[entry.name](entry, data, per_image, np.random.default_rng(seed), limit)


def held_out(entry: ModelEntry, data: Path, folder: str, limit: int | None) -> list[Path]:
    """Files of ``folder`` among the negatives that training set aside for testing.

    The training command in the task names the negatives; they are split like patients. Training
    split whole data sets: with fewer files the parts would not be the same, so a ``data`` that
    lacks some of the model's own cases (such as the bundled samples) gives none.
    """
    labels = data / FOLDERS[entry.name] / "labels"
    if not {n for part in entry.splits.values() for n in part} <= {*map(stem_of, labels.iterdir())}:
        return []
    words = shlex.split(str(load_task(entry.name).card["command"]))
    patterns = [words[i + 1] for i, word in enumerate(words) if word == "--negatives"]
    files: dict[str, Path] = {}
    for pattern in patterns:
        path = data / pattern.removeprefix("DATA/")
        found = path.iterdir() if path.is_dir() else path.parent.glob(path.name)
        some = {stem: file for file in found if (stem := stem_of(file)) is not None}
        if not some:
            return []
        files |= some
    names = split_cases(files)["test"]
    return [files[stem] for stem in names if files[stem].parent == data / folder / "images"][:limit]


def _for_hippocampus(
    entry: ModelEntry, data: Path, per_image: int, rng: np.random.Generator, limit: int | None
) -> list[Named]:
    files = held_out(entry, data, "sts_ct_mr", limit)
    cubes = (random_cube(Image.read(path), rng) for path in files for _ in range(per_image))
    return [("random 48 mm cubes of limb MR", cubes)] if files else []


def _for_nuclei(
    entry: ModelEntry, data: Path, per_image: int, rng: np.random.Generator, limit: int | None
) -> list[Named]:
    kinds = {"skin photographs": "isic2017_98", "liver CT slices": "msd_liver_slices"}
    return _held_out_pictures(entry, data, kinds, limit)


def _for_skin_lesion(
    entry: ModelEntry, data: Path, per_image: int, rng: np.random.Generator, limit: int | None
) -> list[Named]:
    found = _held_out_pictures(entry, data, {"microscopy of nuclei": "dsb2018_nuclei"}, limit)
    corners = _lesion_free_corners(entry, data, per_image, rng, limit)
    return [*found, ("skin beside the lesion (corners of test photographs)", corners)]


def _for_sarcoma(
    entry: ModelEntry, data: Path, per_image: int, rng: np.random.Generator, limit: int | None
) -> list[Named]:
    found: list[Named] = [
        (
            f"tumour-free ends of test volumes, {'+'.join(names)}",
            _free_slabs(entry, data, names, limit),
        )
        for names in (("CT", "MR"), ("CT",), ("MR",))
    ]
    for folder in ("chaos_ct_sample", "totalsegmentator_example"):
        files = held_out(entry, data, folder, limit)
        if files:
            # By value, since the loop goes on before the images are read.
            cubes = (_as_ct(Image.read(path)) for path in list(files))
            found.append((f"{folder}, whole", cubes))
    return found


_SOURCES: dict[str, Source] = {
    "hippocampus": _for_hippocampus,
    "nuclei": _for_nuclei,
    "skin-lesion": _for_skin_lesion,
    "sarcoma": _for_sarcoma,
}


def _held_out_pictures(
    entry: ModelEntry, data: Path, kinds: dict[str, str], limit: int | None
) -> list[Named]:
    found: list[Named] = []
    for title, folder in kinds.items():
        files = held_out(entry, data, folder, limit)
        if files:
            found.append((title, map(Image.read, files)))
    return found


def random_cube(image: Image, rng: np.random.Generator, side_mm: float = _CUBE_MM) -> Image:
    """A cube anywhere in the volume, as long as the volume is where that is shorter."""
    part = []
    for size, step in zip(image.geometry.shape_kji, image.geometry.spacing_mm[::-1], strict=True):
        length = min(size, max(2, round(side_mm / step)))
        start = int(rng.integers(size - length + 1))
        part.append(slice(start, start + length))
    return image.crop(part)


def _lesion_free_corners(
    entry: ModelEntry, data: Path, per_image: int, rng: np.random.Generator, limit: int | None
) -> Iterator[Image]:
    for case in find_test_cases(entry, data, limit):
        real = read_real_case(entry, case)
        _, height, width = real.truth.array.shape
        rows, columns = height // _CORNER, width // _CORNER
        corners = [
            (slice(0, 1), vertical, horizontal)
            for vertical in (slice(0, rows), slice(height - rows, height))
            for horizontal in (slice(0, columns), slice(width - columns, width))
        ]
        free = [corner for corner in corners if not real.truth.array[corner].any()]
        for index in rng.permutation(len(free))[:per_image]:
            yield real.image.crop(free[index])


def _free_slabs(
    entry: ModelEntry, data: Path, channels: Sequence[str], limit: int | None
) -> Iterator[Image]:
    """Both ends of each test volume up to 60 mm, where at least 20 mm hold no tumour."""
    for case in find_test_cases(entry, data, limit, channels):
        image = read_case(case)
        filled = np.flatnonzero(read_real_case(entry, case).truth.array.any(axis=(1, 2)))
        step, depth = image.geometry.spacing_mm[2], image.geometry.shape_kji[0]
        thick = round(_SLAB_MM / step)
        ends = (
            slice(max(0, int(filled[0]) - thick), int(filled[0])),
            slice(int(filled[-1]) + 1, min(depth, int(filled[-1]) + 1 + thick)),
        )
        for part in ends:
            if (part.stop - part.start) * step >= _SLAB_MM / 3:
                yield image.crop((part, slice(None), slice(None)))


def _as_ct(image: Image) -> Image:
    return Image(image.array, image.geometry, ("CT",), path=image.path)
