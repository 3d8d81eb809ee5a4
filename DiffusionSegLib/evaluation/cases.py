"""Pairs images with known outlines by file name.

`images/NAME.*` belongs to `labels/NAME.*`. When an input has several channels, each is a file of
its own, `images/NAME_CHANNEL.*` (`STS_002_ct.nii.gz`, `STS_002_mr.nii.gz`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from DiffusionSegLib.errors import InputError

SUFFIXES = (
    ".nii.gz", ".seg.nrrd", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd", ".png", ".jpg", ".jpeg",
    ".tif", ".tiff", ".webp", ".bmp",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One input: its image files in channel order, and the known outline where there is one.

    `channels` names the files; empty when the file name says nothing about a channel.
    """

    name: str
    images: tuple[Path, ...]
    channels: tuple[str, ...] = ()
    label: Path | None = None


@dataclass(frozen=True)
class Pairing:
    """The cases found, and the outlines (or images) for which no complete input was found."""

    cases: tuple[Case, ...]
    unpaired: tuple[str, ...]


def stem_of(path: Path) -> str | None:
    """File name without its image suffix; a folder's name; None when it is no image."""
    if path.name.startswith("."):
        return None
    if path.is_dir():
        return path.name
    lowered = path.name.lower()
    matching = next((suffix for suffix in SUFFIXES if lowered.endswith(suffix)), None)
    return path.name[: -len(matching)] if matching else None


def find_cases(
    images: Path,
    labels: Path,
    inputs: Sequence[str] = (),
    chosen: Sequence[str] = (),
    only: Collection[str] = (),
) -> Pairing:
    """Pairs every outline in `labels` with its image or channels in `images`.

    `inputs` are the channel names that the model knows, in its order; `chosen` restricts them
    (all chosen channels must then be there); `only` keeps these case names.
    """
    image_files, label_files = _files(images), _files(labels)
    _check_wanted(only, label_files, labels)
    wanted = [name for name in sorted(label_files) if not only or name in only]
    cases, unpaired = [], []
    for name in wanted:
        suffixed = _suffixed(name, image_files, label_files)
        case = _assemble(name, image_files.get(name), suffixed, inputs, chosen)
        if case is None:
            unpaired.append(name)
        else:
            cases.append(Case(name, case.images, case.channels, label_files[name]))
    if not cases:
        raise InputError(_nothing_paired(images, labels, image_files, label_files))
    return Pairing(tuple(cases), tuple(unpaired))


def find_images(folder: Path, inputs: Sequence[str] = (), chosen: Sequence[str] = ()) -> Pairing:
    """Groups the images of a folder without outlines into inputs, by channel suffix."""
    files = _files(folder)
    known = {name.lower() for name in (*inputs, *chosen)}
    names = sorted({_without_channel(stem, known) for stem in files})
    cases, unpaired = [], []
    for name in names:
        suffixed = _suffixed(name, files, {name: Path()})
        suffixed = {key: path for key, path in suffixed.items() if key in known}
        case = _assemble(name, files.get(name), suffixed, inputs, chosen)
        if case is None:
            unpaired.append(name)
        else:
            cases.append(case)
    if not cases:
        raise InputError(f"No image was found in {folder}; give a folder that holds images.")
    return Pairing(tuple(cases), tuple(unpaired))


def channel_names(
    paths: Sequence[Path], inputs: Sequence[str], chosen: Sequence[str]
) -> tuple[str, ...]:
    """Which of the model's inputs each image is: chosen, else by file name, else by order.

    Empty when that cannot be told: then the method decides.
    """
    if chosen:
        return tuple(name.lower() for name in chosen)
    by_suffix = [_input_in_name(path, inputs) for path in paths]
    if all(by_suffix) and len(set(by_suffix)) == len(by_suffix):
        return tuple(by_suffix)
    return tuple(inputs) if len(inputs) == len(paths) > 1 else ()


def read_case_names(path: Path) -> tuple[str, ...]:
    """One name per line; empty lines and lines that begin with # are left out."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"The list of cases {path} cannot be read ({error}); give a text file with one case "
            "name per line."
        ) from error
    names = tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))
    if not names:
        raise InputError(f"The list of cases {path} is empty; write one case name per line.")
    return names


def _assemble(
    name: str,
    exact: Path | None,
    suffixed: Mapping[str, Path],
    inputs: Sequence[str],
    chosen: Sequence[str],
) -> Case | None:
    wanted = [channel.lower() for channel in chosen]
    if wanted and all(channel in suffixed for channel in wanted):
        ordered = _in_order(wanted, inputs)
        return Case(name, tuple(suffixed[channel] for channel in ordered), tuple(ordered))
    if exact is not None and len(wanted) <= 1:
        return Case(name, (exact,), tuple(wanted))
    if wanted:
        return None
    available = [channel for channel in _lower(inputs) if channel in suffixed]
    if not available and len(suffixed) == 1:
        available = list(suffixed)
    if not available:
        return None
    return Case(name, tuple(suffixed[channel] for channel in available), tuple(available))


def _in_order(chosen: Sequence[str], inputs: Sequence[str]) -> list[str]:
    """The model's order; channels that the model does not name come last, as they were given."""
    order = _lower(inputs)
    return sorted(chosen, key=lambda name: order.index(name) if name in order else len(order))


def _lower(names: Sequence[str]) -> list[str]:
    return [name.lower() for name in names]


def _suffixed(
    name: str, image_files: Mapping[str, Path], label_files: Mapping[str, Path]
) -> dict[str, Path]:
    """Channel (lower case) to file, of the images NAME_CHANNEL that are no case of their own."""
    start = name + "_"
    return {
        stem[len(start) :].lower(): path
        for stem, path in image_files.items()
        if stem.startswith(start) and stem not in label_files
    }


def _without_channel(stem: str, channels: Collection[str]) -> str:
    base, separator, last = stem.rpartition("_")
    return base if separator and base and last.lower() in channels else stem


def _files(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        if folder.exists():
            raise InputError(f"{folder} is a file; give a folder that holds images.")
        raise InputError(f"The folder {folder} does not exist; give a folder that holds images.")
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        stem = stem_of(path)
        if stem is None:
            continue
        if stem in files:
            raise InputError(
                f"{files[stem].name} and {path.name} in {folder} have the same name before the "
                "suffix; leave one of them there."
            )
        files[stem] = path
    return files


def _check_wanted(only: Collection[str], labels: Mapping[str, Path], folder: Path) -> None:
    missing = sorted(set(only) - set(labels))
    if missing:
        shown = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        raise InputError(
            f"{len(missing)} of {len(set(only))} listed cases have no outline in {folder} "
            f"({shown}); give the folder that the list belongs to."
        )


def _nothing_paired(
    images: Path, labels: Path, image_files: Mapping[str, Path], label_files: Mapping[str, Path]
) -> str:
    if not label_files:
        return f"No outline was found in {labels}; give a folder that holds label images."
    if not image_files:
        return f"No image was found in {images}; give a folder that holds images."
    return (
        f"No image belongs to an outline: the images are named like {next(iter(image_files))!r} "
        f"and the outlines like {next(iter(label_files))!r}; give the same names before the "
        "suffix (or NAME_CHANNEL for channels, then choose with --channels)."
    )


def _input_in_name(path: Path, inputs: Sequence[str]) -> str:
    last = path.name.split(".")[0].rpartition("_")[2].lower()
    return next((name for name in inputs if name.lower() == last), "")
