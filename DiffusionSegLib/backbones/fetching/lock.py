"""One download of a file at a time, also between processes."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from DiffusionSegLib.errors import ModelError

__all__ = ["one_at_a_time"]


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Nobody else is inside with the same path; the system lets go of a process that died.

    Raises ModelError when another one is.
    """
    lock = path.with_name(f".{path.name}.lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    with open(lock, "a+b") as stream:
        if not _taken(stream.fileno()):
            raise ModelError(
                f"Another download or import writes {path} just now; wait until it is done."
            )
        yield
    # The file stays: a second process may have opened it, and would lock what is no longer there.


def _taken(descriptor: int) -> bool:
    # The modules of the other system are not there, so they are found by name.
    try:
        if os.name == "nt":
            windows: Any = importlib.import_module("msvcrt")
            windows.locking(descriptor, windows.LK_NBLCK, 1)
        else:
            posix: Any = importlib.import_module("fcntl")
            posix.flock(descriptor, posix.LOCK_EX | posix.LOCK_NB)
    except OSError:
        return False
    return True
