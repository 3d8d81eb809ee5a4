"""A long command whose words are heard while it runs, and which a cancellation ends at once."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.worker.command import foreign_environment
from DiffusionSegLib.worker.process_tree import kill_tree, start, wait_for_end

__all__ = ["Ended", "clean_environment", "run_watched"]

_SCRIPT = Path(__file__).with_name("watched_script.py")
_KEPT = 400
_LOOK_S = 0.1
_SOON_S = 1.0
# Where pip would put things instead of into the environment.
_DIVERTING = frozenset(
    {"PIP_TARGET", "PIP_USER", "PIP_PREFIX", "PIP_ROOT", "PIP_DRY_RUN", "PIP_PYTHON", "PIP_QUIET",
     "PIP_NO_DEPS", "PIP_REPORT", "PIP_IGNORE_INSTALLED", "PIP_REQUIREMENT", "PIP_EDITABLE"}
)  # fmt: skip


@dataclass(frozen=True)
class Ended:
    """How a command ended, and the last lines that it wrote."""

    code: int
    lines: tuple[str, ...]


def clean_environment() -> dict[str, str]:
    """That of this process without what belongs to this Python or to 3D Slicer, or would lead pip
    to other folders; the user's proxy and pip's other settings stay."""
    kept = foreign_environment(())
    return {name: value for name, value in kept.items() if name.upper() not in _DIVERTING}


def run_watched(
    python: Sequence[str],
    words: Sequence[str],
    environment: Mapping[str, str],
    hear: Callable[[str], None],
    look: Callable[[], None],
) -> Ended:
    """Let a Python (with its options) do "-m MODULE ..." or start a program, to its end.

    hear: is told every line; look: is called ten times a second, and may raise (Cancelled): then
    the command and all that it started end. Raises InputError when it cannot be started.
    """
    try:
        process = start([*python, os.fspath(_SCRIPT), *words], environment)
    except (OSError, ValueError) as error:
        raise InputError(f"The Python {python[0]!r} cannot be started ({error}).") from error
    lines: list[str] = []
    heard: SimpleQueue[str | None] = SimpleQueue()
    readers = [
        threading.Thread(target=_read, args=(stream, heard), daemon=True)
        for stream in (process.stdout, process.stderr)
    ]
    for reader in readers:
        reader.start()
    try:
        _hear_to_the_end(heard, len(readers), lines, hear, look)
        wait_for_end(process, _SOON_S)
    finally:
        # Also after its end: what it started and left behind ends, too.
        kill_tree(process)
        process.wait()
        if process.stdin is not None:
            process.stdin.close()
        for reader in readers:
            reader.join(_SOON_S)
    return Ended(process.returncode, tuple(lines[-_KEPT:]))


def _hear_to_the_end(
    heard: SimpleQueue[str | None],
    open_streams: int,
    lines: list[str],
    hear: Callable[[str], None],
    look: Callable[[], None],
) -> None:
    while open_streams:
        with suppress(Empty):
            line = heard.get(timeout=_LOOK_S)
            if line is None:
                open_streams -= 1
            else:
                lines.append(line)
                hear(line)
        look()


def _read(stream: io.RawIOBase | None, heard: SimpleQueue[str | None]) -> None:
    if stream is not None:
        with suppress(OSError, ValueError), stream:
            for line in io.BufferedReader(stream):
                text = line.decode("utf-8", "replace").rstrip()
                if text:
                    heard.put(text)
    heard.put(None)
