"""Builds the packed file from folders of images and labels, exactly as inference would see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.methods.cdal.intensity import IntensityMap
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.cdal.pack import PackedCase, write_pack
from DiffusionSegLib.training.cdal.settings import Task
from DiffusionSegLib.training.splits import split_cases


def pack_task(
    task: Task, images: Path, labels: Path, negatives: Sequence[str], out: Path, progress: Progress
) -> Mapping[str, Sequence[str]]:
    """Read, resample, normalise, split and write; returns the case names of every part."""
    found = find_cases(images, labels, task.suffixes)
    names = [name for name in found if name not in task.exclude]
    split = split_cases(names, task.strata)
    parts: dict[str, list[PackedCase]] = {part: [] for part in split}
    todo = [(part, name) for part, members in split.items() for name in members]
    for part, name in progress.track(todo, "Packing images"):
        parts[part].append(_labelled(task, name, *found[name]))
    for part, case in _negatives(task, negatives):
        parts.setdefault(part, []).append(case)
    write_pack(out, parts)
    return {part: [case.name for case in members] for part, members in parts.items()}


def find_cases(
    images: Path, labels: Path, suffixes: Sequence[str]
) -> dict[str, tuple[list[Path], Path]]:
    """Stem → (one image per channel suffix, label); a label without all its images is an error."""
    by_stem = {_stem(path): path for path in _files(images)}
    cases = {}
    for label in _files(labels):
        stem = _stem(label)
        wanted = [stem + suffix for suffix in suffixes] or [stem]
        missing = [name for name in wanted if name not in by_stem]
        if missing:
            raise InputError(f"The label {label} has no image named {missing[0]} in {images}.")
        cases[stem] = ([by_stem[name] for name in wanted], label)
    if not cases:
        raise InputError(f"The folder {labels} holds no labels.")
    return cases


def _files(folder: Path) -> list[Path]:
    """Sorted; what the system hides (such as .DS_Store) is no case."""
    return sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))


def normalised(task: Task, image: Image) -> NDArray[np.float32]:
    """The image on the model's grid in [-1, 1], (channels, K, J, I)."""
    on_grid = task.grid.to_model(image)
    return IntensityMap.fit(on_grid.array, task.intensity).apply(on_grid.array)


def _labelled(task: Task, name: str, images: list[Path], label: Path) -> PackedCase:
    image = Image.read(images) if len(images) > 1 else Image.read(images[0])
    mask = Mask.read(label)
    if not mask.geometry.is_close(
        image.geometry, tolerance_mm=0.1 * min(image.geometry.spacing_mm)
    ):
        raise InputError(f"The label {label} does not lie on the grid of its image {images[0]}.")
    classes = _classes_on_grid(task, mask, image)
    array = normalised(task, _with_channels(task, image))
    return PackedCase(name, torch.from_numpy(array), torch.from_numpy(classes))


def _classes_on_grid(task: Task, mask: Mask, image: Image) -> NDArray[np.uint8]:
    """Class indices on the model's grid: the class with the largest share of each voxel."""
    channels = np.stack([(mask.array == value) for value in task.label_values]).astype(np.float32)
    shares = task.grid.to_model(Image(channels, image.geometry, dimension=image.dimension)).array
    inside = shares.sum(axis=0) >= 0.5
    return np.where(inside, shares.argmax(axis=0) + 1, 0).astype(np.uint8)


def _negatives(task: Task, patterns: Sequence[str]) -> list[tuple[str, PackedCase]]:
    """Images known to lack the object, split like patients."""
    files = {_stem(p): p for pattern in patterns for p in _matching(pattern)}
    out = []
    for part, names in split_cases(files).items() if files else ():
        for name in names:
            array = _middle(task, normalised(task, _with_channels(task, Image.read(files[name]))))
            label = np.zeros(array.shape[1:], np.uint8)
            case = PackedCase(f"negative-{name}", torch.from_numpy(array), torch.from_numpy(label))
            out.append((f"negative-{part}", case))
    return out


def _with_channels(task: Task, image: Image) -> Image:
    """A negative of another kind is repeated or cut to the channels that the model takes."""
    wanted = len(task.channels)
    array = np.repeat(image.array, -(-wanted // len(image.array)), axis=0)[:wanted]
    return Image(array, image.geometry, dimension=image.dimension)


def _matching(pattern: str) -> list[Path]:
    """Files of a folder or of a pattern such as scans/*_mr.nii.gz."""
    path = Path(pattern)
    found = path.iterdir() if path.is_dir() else path.parent.glob(path.name)
    files = sorted(p for p in found if p.is_file())
    if not files:
        raise InputError(f"No negative images were found at {pattern}.")
    return files


def _middle(task: Task, array: NDArray[np.float32]) -> NDArray[np.float32]:
    """The middle of a negative, up to one and a half windows: enough to cut windows from."""
    cut = []
    for size, window in zip(array.shape[1:], task.grid.window_kji, strict=True):
        keep = min(size, max(1, window * 3 // 2))
        cut.append(slice((size - keep) // 2, (size - keep) // 2 + keep))
    return array[(slice(None), *cut)]


def _stem(path: Path) -> str:
    name = path.name
    for ending in (".nii.gz", ".seg.nrrd"):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return path.stem
