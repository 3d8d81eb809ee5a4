"""Checks where results go before anything is computed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from DiffusionSegLib.cli.parser import nearest
from DiffusionSegLib.errors import OutputError

VOLUME_SUFFIXES = (".nrrd", ".nii", ".nii.gz", ".mha")
SEGMENTATION_SUFFIXES = (".seg.nrrd", *VOLUME_SUFFIXES)
PICTURE_SUFFIXES = (".png", ".tif")


def check_outputs(
    outputs: Sequence[Path], inputs: Iterable[Path] = (), *, replace: bool = True
) -> None:
    """Raises OutputError unless every file can be written and none is an input or named twice."""
    seen: set[str] = set()
    # Of links that lead in circles Path.resolve raises what depends on the version of Python.
    inputs_resolved = {os.path.realpath(path) for path in inputs}
    for path in outputs:
        try:
            resolved = os.path.realpath(path)
            if resolved in inputs_resolved:
                raise OutputError(f"The output {path} is also an input; give another output file.")
            if resolved in seen:
                raise OutputError(f"Two outputs are called {path}; give each a file of its own.")
            seen.add(resolved)
            _check_place(path, replace)
        except OSError as error:  # a name that is too long, a drive that is gone
            reason = error.strerror or error
            raise OutputError(
                f"{path} cannot be written ({reason}); choose another name or folder."
            ) from error


def check_suffix(path: Path, volume_suffixes: Sequence[str], dimension: int | None = None) -> None:
    """Raises OutputError unless the suffix names a format; pictures only hold one slice.

    `dimension` None (not known yet) accepts what a picture or a volume could be written to.
    """
    name = path.name.lower()
    if any(name.endswith(suffix) for suffix in volume_suffixes):
        return
    is_picture = any(name.endswith(suffix) for suffix in PICTURE_SUFFIXES)
    if is_picture and dimension in (None, 2):
        return
    known = ", ".join(volume_suffixes)
    if is_picture:
        raise OutputError(
            f"{path} can hold a picture only, but the image is a volume; use {known}."
        )
    suffix = "".join(path.suffixes[-2:]) or "no suffix"
    hint = nearest(suffix, (*volume_suffixes, *PICTURE_SUFFIXES))
    raise OutputError(
        f"The format of {path} is not known ({suffix}){hint}; end the name in {known} "
        f"or, for a picture, {', '.join(PICTURE_SUFFIXES)}."
    )


def check_channels(path: Path, count: int) -> None:
    """Raises OutputError for a format that holds one probability, when there are several."""
    if count > 1 and not path.name.lower().endswith((".nrrd", ".mha")):
        raise OutputError(
            f"{path} holds one probability, but this model has {count} labels; use .nrrd or .mha."
        )


def split_suffix(path: Path) -> tuple[str, str]:
    """("head", ".seg.nrrd") of head.seg.nrrd; the suffix must be known (check_suffix)."""
    known = (*SEGMENTATION_SUFFIXES, *PICTURE_SUFFIXES)
    suffix = next(one for one in known if path.name.lower().endswith(one))
    return path.name[: -len(suffix)], path.name[-len(suffix) :]


def check_folder(folder: Path) -> None:
    """Raises OutputError unless files can be written to it."""
    if not folder.is_dir():
        if folder.exists():
            raise OutputError(f"{folder} is a file, not a folder; give the name of a folder.")
        raise OutputError(f"The folder {folder} does not exist; create it first.")
    _check_writable(folder)


def _check_place(path: Path, replace: bool) -> None:
    if path.is_dir():
        raise OutputError(f"{path} is a folder; give the name of a file in it.")
    if path.exists() and not replace:
        raise OutputError(f"{path} exists already; remove it or leave --no-overwrite out.")
    if not path.parent.is_dir():
        raise OutputError(
            f"The folder {path.parent} for {path.name} does not exist; create it first."
        )
    _check_writable(path.parent)


def _check_writable(folder: Path) -> None:
    try:
        # Permissions alone do not tell (read-only disks, quotas): try it. Leaves nothing behind.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(
            f"Nothing can be written to the folder {folder} ({error.strerror}); "
            "choose another folder."
        ) from error
