"""Pipes as wide as the system allows, and standard output kept clean."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress

__all__ = ["reserve_standard_streams", "widen"]

_WIDTH = 1 << 20


def widen(stream: io.FileIO) -> None:
    """Let the pipe hold 1 MiB where that can be asked for (Linux): fewer waits for large arrays."""
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(stream.fileno(), fcntl.F_SETPIPE_SZ, _WIDTH)


def reserve_standard_streams() -> tuple[io.FileIO, io.FileIO]:
    """What stdin and stdout were, for frames alone.

    From then on whatever prints lands on stderr, and whatever reads stdin finds it empty, also in
    libraries written in C.
    """
    incoming, outgoing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    sys.stdout.flush()
    os.dup2(2, 1)
    if sys.platform == "win32":
        import msvcrt

        for descriptor in (incoming, outgoing):
            msvcrt.setmode(descriptor, os.O_BINARY)
    return io.FileIO(incoming, "rb"), io.FileIO(outgoing, "wb")
