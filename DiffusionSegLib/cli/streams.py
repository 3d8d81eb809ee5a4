"""Standard input, output and error as a shell may leave them: closed, full, in any encoding."""

from __future__ import annotations

import errno
import io
import os
import sys

__all__ = ["cannot_print", "leave_output", "prepare_streams"]

_UNWRITABLE = frozenset({
    errno.ENOSPC, errno.EFBIG, errno.EIO, errno.EBADF, getattr(errno, "EDQUOT", errno.ENOSPC),
})  # fmt: skip


def prepare_streams() -> None:
    """A letter that the output's encoding lacks is written as its number; closed streams lead
    nowhere, so that no file that is opened later takes their place."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
        elif mode == "w" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def cannot_print(error: OSError) -> bool:
    """Whether an error is that of printing: the disk is full, or the terminal is gone."""
    # Windows says EINVAL of a pipe whose reader is gone.
    windows = os.name == "nt" and error.errno == errno.EINVAL
    return error.filename is None and (error.errno in _UNWRITABLE or windows)


def leave_output() -> None:
    """Nothing more is printed to stdout: Python flushes it when it ends, and would fail anew."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
