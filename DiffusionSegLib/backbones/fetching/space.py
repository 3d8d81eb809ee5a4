"""Room on the disk, asked for before it is needed."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from DiffusionSegLib.errors import OutputError

__all__ = ["check_space", "disk_error", "is_of_the_disk", "make_folder", "shown_bytes"]

_MARGIN = 16 << 20  # the disk is not filled to its last byte
_ELSEWHERE = "set DIFFUSIONSEG_MODELS to a folder on another disk"
_KEPT = "what was written so far is kept and goes on from there"
_FULL = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})


def check_space(
    folder: Path, wanted: int, margin: int = _MARGIN, elsewhere: str = _ELSEWHERE
) -> None:
    """Whether ``wanted`` more bytes fit where ``folder`` is or will be; raises OutputError.

    elsewhere: what else can be done than free some space.
    """
    place = folder.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        free = shutil.disk_usage(place).free
    except OSError:  # some network drives do not tell
        return
    if wanted > 0 and free < wanted + margin:
        raise OutputError(
            f"{folder} has too little room: {shown_bytes(wanted)} are needed and "
            f"{shown_bytes(free)} are free. Free some space, or {elsewhere}."
        )


def make_folder(folder: Path) -> None:
    """It is there afterwards, with those above it; raises OutputError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(folder, error) from error


def disk_error(path: Path, error: OSError, kept: str = _KEPT) -> OutputError:
    """The sentence for what the disk refused. kept: what is not lost."""
    if error.errno in _FULL:
        return OutputError(
            f"{path} could not be written: the disk is full. Free some space and start again; "
            f"{kept}."
        )
    return OutputError(
        f"{path} could not be written: {error.strerror or error}. Set DIFFUSIONSEG_MODELS to a "
        "folder that you may write to."
    )


def is_of_the_disk(error: OSError) -> bool:
    """Whether it comes from the disk and not from the network."""
    return error.errno in _FULL | {errno.EACCES, errno.EPERM, errno.EROFS}


def shown_bytes(count: int) -> str:
    """In decimal units: "870 bytes", "19.4 MB", "5.2 GB"."""
    if count < 1000:
        return f"{count} bytes"
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
