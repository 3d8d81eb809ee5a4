"""The processes that a process started, and those that they started."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

__all__ = ["descendants"]

_PROC = Path("/proc")
_PATIENCE_S = 2.0


def descendants(pid: int) -> tuple[int, ...]:
    """Their numbers, as far as the system tells them (on Linux and macOS; on Windows none).

    Whoever was started in a session of its own is among them; whose parent has ended is not.
    """
    children: dict[int, list[int]] = {}
    for child, parent in _parents():
        children.setdefault(parent, []).append(child)
    found: list[int] = []
    new = [pid]
    while new:
        new = [child for parent in new for child in children.pop(parent, [])]
        found += new
    return tuple(found)


def _parents() -> Iterator[tuple[int, int]]:
    """(process, its parent) of all that there are."""
    if sys.platform == "win32":
        return
    if (_PROC / "self" / "stat").is_file():
        yield from _in_proc()
    else:
        yield from _by_ps()


def _in_proc() -> Iterator[tuple[int, int]]:
    for folder in _PROC.iterdir():
        if folder.name.isdigit():
            with suppress(OSError, IndexError, ValueError):  # it has ended meanwhile
                # After the program's name, which may hold brackets: state, parent, ...
                fields = (folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
                yield int(folder.name), int(fields[1])


def _by_ps() -> Iterator[tuple[int, int]]:
    with suppress(OSError, subprocess.SubprocessError, ValueError):
        done = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid="],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
        )
        for line in done.stdout.decode("ascii", "replace").splitlines():
            child, parent = line.split()
            yield int(child), int(parent)
