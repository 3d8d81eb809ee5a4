"""One download of a file at a time, also between processes."""

from __future__ import annotations

import errno
import importlib
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from DiffusionSegLib.backbones.fetching.space import disk_error
from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.progress import Progress

__all__ = ["one_at_a_time"]

_LOG = logging.getLogger(__name__)
_LOOK_S = 0.2
# What a lock that another one has is told by; anything else says that there are no locks here, as
# on some network drives.
_OTHERS = frozenset({errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK})


@contextmanager
def one_at_a_time(path: Path, progress: Progress | None = None) -> Iterator[bool]:
    """Nobody else is inside with the same path; the system lets go of a process that died.

    While another one is, it is waited for, which progress tells and can cancel; without a progress
    ModelError is raised. Whether it was waited for: then it may have done the work. Raises
    OutputError, Cancelled.
    """
    waited = False
    with _opened(path) as stream:
        while not _taken(stream.fileno(), path):
            if progress is None:
                raise ModelError(
                    f"Another download or import writes {path} just now; wait until it is done."
                )
            progress.report(0.0, f"Waiting for another download or import of {path.name}")
            waited = True
            time.sleep(_LOOK_S)
        yield waited
    # The file stays: a second process may have opened it, and would lock what is no longer there.


def _opened(path: Path) -> IO[bytes]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return open(path.with_name(f".{path.name}.lock"), "a+b")
    except OSError as error:
        raise disk_error(path, error) from error


def _taken(descriptor: int, path: Path) -> bool:
    # The modules of the other system are not there, so they are found by name.
    try:
        if os.name == "nt":
            windows: Any = importlib.import_module("msvcrt")
            windows.locking(descriptor, windows.LK_NBLCK, 1)
        else:
            posix: Any = importlib.import_module("fcntl")
            posix.flock(descriptor, posix.LOCK_EX | posix.LOCK_NB)
    except OSError as error:
        if error.errno in _OTHERS:
            return False
        _LOG.warning("Nobody is kept from writing %s meanwhile: %s", path, error)
    return True
