"""What files take of the disk, and their deletion: never of what a link points to."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from DiffusionSegLib.errors import OutputError

__all__ = ["delete", "disk_bytes", "free_bytes"]

_JUNCTION = getattr(stat, "IO_REPARSE_TAG_MOUNT_POINT", 0xA0000003)


def disk_bytes(path: Path) -> int:
    """Of a file, or of all files in a folder; links are not followed; 0 when there is nothing."""
    told = _look(path)
    if told is None:
        return 0
    if not stat.S_ISDIR(told.st_mode) or _is_link(told):
        return told.st_size
    try:
        return sum(disk_bytes(inner) for inner in _inside(path))
    except OSError:
        return 0


def free_bytes(folder: Path) -> int | None:
    """On the disk where it is or will be; None where it cannot be told."""
    place = folder.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        return shutil.disk_usage(place).free
    except OSError:  # some network drives do not tell
        return None


def delete(path: Path, tell: Callable[[int], None] = lambda size: None) -> int:
    """Bytes freed. tell: is called with the size of every file that has gone, and may raise.

    Raises OutputError with the file that could not be deleted.
    """
    told = _look(path)
    if told is None:
        return 0
    try:
        if _is_link(told) or not stat.S_ISDIR(told.st_mode):
            _unlink(path, told)
            tell(told.st_size)
            return told.st_size
        freed = sum(delete(inner, tell) for inner in _inside(path))
        os.rmdir(path)
        return freed
    except OSError as error:
        raise OutputError(
            f"{path} could not be deleted ({error.strerror or error}): it may be in use. Close "
            "other windows of Slicer and what else uses it, and try again; what is gone is gone, "
            "and the rest follows then."
        ) from error


def _look(path: Path) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except OSError:
        return None


def _inside(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return [Path(entry.path) for entry in entries]
    except PermissionError:
        with suppress(OSError):
            os.chmod(folder, stat.S_IRWXU)
        with os.scandir(folder) as entries:
            return [Path(entry.path) for entry in entries]


def _is_link(told: os.stat_result) -> bool:
    return stat.S_ISLNK(told.st_mode) or getattr(told, "st_reparse_tag", 0) == _JUNCTION


def _unlink(path: Path, told: os.stat_result) -> None:
    try:
        if _is_link(told) and stat.S_ISDIR(told.st_mode):
            os.rmdir(path)  # a junction of Windows
        else:
            os.unlink(path)
    except PermissionError:
        if _is_link(told):
            raise
        # Windows does not delete what is marked as read-only.
        os.chmod(path, stat.S_IWRITE)
        os.unlink(path)
