"""Files that are either complete or not there."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from DiffusionSegLib.errors import OutputError

__all__ = ["atomic_file"]

_FULL = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
_DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """A binary file that becomes `path` when the block ends well.

    Otherwise whatever was at `path` stays as it was and nothing else is left behind. Raises
    OutputError when the folder is missing or not writable and when the disk is full.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(6)}.tmp")
    try:
        _check_target(target)
        with _create(temporary, target) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, target)
        _sync_folder(target.parent)
    except OSError as error:
        raise OutputError(_sentence(path, error)) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _check_target(target: Path) -> None:
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    # Replacing needs only a writable folder, but a write-protected file is meant to stay.
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _create(temporary: Path, target: Path) -> BinaryIO:
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(temporary, flags, 0o666)
    if target.exists():
        with suppress(OSError):
            os.chmod(temporary, stat.S_IMODE(target.stat().st_mode))
    return os.fdopen(descriptor, "w+b")


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power cut, where the system can."""
    if os.name != "posix":
        return
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _sentence(path: Path, error: OSError) -> str:
    if error.errno in _FULL:
        return f"{path} could not be written: the disk is full. Free some space and try again."
    if error.errno in _DENIED:
        return f"{path} could not be written: no permission. Choose another folder."
    if error.errno == errno.ENOENT:
        return f"{path} could not be written: the folder does not exist. Create it first."
    if error.errno == errno.EISDIR:
        return f"{path} could not be written: it is a folder. Give the name of a file."
    return f"{path} could not be written: {error.strerror or error}. Choose another file name."
