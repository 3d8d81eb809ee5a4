"""Runs a doctor as a child process: heard while it runs, ended with all that it started."""

from __future__ import annotations

import io
import re
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress

from DiffusionSegLib.doctor.examination import Examination, read_examination
from DiffusionSegLib.errors import InputError, WorkerError
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.worker.process_tree import ended_by, kill_tree, start, wait_for_end

__all__ = ["LIMIT_S", "examine"]

LIMIT_S = 900.0  # half a minute is usual; the first import of torch from a slow disk takes minutes
_OPTIONS = ("--json",)
_LOOK_S = 0.05
_GRACE_S = 1.0
_KEPT_LINES, _KEPT_PARTS, _SHOWN = 200, 512, 300
_STEP = re.compile(r"\s*(\d{1,3}) %  (\S.*?)(?:  \S.* left)?")  # as cli/progress_bar.py writes it


def examine(
    command: Sequence[str],
    environment: Mapping[str, str],
    progress: Progress,
    limit_s: float = LIMIT_S,
    options: Sequence[str] = (),
) -> Examination:
    """Let a doctor make its report. command: see `doctor_command`; options: more words for it.

    Raises Cancelled when progress says so, InputError for a command that cannot be started, and
    WorkerError for one that makes no report, or not in time; whichever it is, no process is left.
    """
    words = (*command, *_OPTIONS, *options)
    progress.report(0.0)
    try:
        process = start(words, environment)
    except (OSError, ValueError) as error:
        raise InputError(
            f"The command {_shown(command)} cannot be started ({error}); correct the worker "
            "command in the settings."
        ) from error
    heard = _Heard(process, progress)
    try:
        heard.to_the_end(limit_s)
    finally:
        # Also after its end: what it started and left behind ends, too.
        kill_tree(process)
        code = process.wait()
        heard.close()
    found = read_examination(heard.printed)
    if found is not None:
        return found
    last = f"; its last words: {heard.last_line}" if heard.last_line else ""
    raise WorkerError(
        f"The command {_shown(command)} ended without a report ({ended_by(code)}{last}). Correct "
        "the worker command in the settings, or set DiffusionSeg up again.",
        heard.log,
    )


class _Heard:
    """What a process writes: its output is kept, of its complaints the last lines and how far it
    says to be."""

    def __init__(self, process: subprocess.Popen[bytes], progress: Progress) -> None:
        self._process, self._progress = process, progress
        # A command that is no doctor may print without an end.
        self._output: deque[bytes] = deque(maxlen=_KEPT_PARTS)
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._step = (0.0, "")
        self._readers = [
            threading.Thread(target=read, daemon=True) for read in (self._read, self._read_lines)
        ]
        for reader in self._readers:
            reader.start()

    @property
    def printed(self) -> str:
        return b"".join(list(self._output)).decode("utf-8", "replace")

    @property
    def log(self) -> str:
        return "\n".join(list(self._lines))

    @property
    def last_line(self) -> str:
        """The last complaint, else the last line of the output."""
        lines = self._lines or self.printed.split("\n")
        return next((line.strip()[:_SHOWN] for line in reversed(lines) if line.strip()), "")

    def to_the_end(self, limit_s: float) -> None:
        """Wait, tell how far it is. Raises Cancelled, WorkerError when the time is over."""
        end_s = time.monotonic() + limit_s
        told = self._step
        while not wait_for_end(self._process, _LOOK_S):
            self._progress.check()
            if self._step != told:
                told = self._step
                self._progress.report(*told)
            if time.monotonic() > end_s:
                at = f" while it looked at {told[1]!r}" if told[1] else ""
                raise WorkerError(
                    f"The check did not end within {limit_s:g} s{at}, so it was stopped; close "
                    "other programs, restart the computer and try again.",
                    self.log,
                )
        for reader in self._readers:  # unless somebody that it left behind holds them open
            reader.join(_GRACE_S)

    def close(self) -> None:
        """Everybody has ended."""
        for reader in self._readers:
            reader.join(_GRACE_S)
        if self._process.stdin is not None:
            self._process.stdin.close()

    def _read(self) -> None:
        stream = self._process.stdout
        if stream is not None:
            with suppress(OSError, ValueError), stream:
                while part := stream.read(1 << 16):
                    self._output.append(part)

    def _read_lines(self) -> None:
        stream = self._process.stderr
        if stream is None:
            return
        with suppress(OSError, ValueError), stream:
            for line in io.BufferedReader(stream):  # type: ignore[type-var]
                text = line.decode("utf-8", "replace").rstrip()
                step = _STEP.fullmatch(text)
                if step is not None:
                    self._step = (int(step[1]) / 100.0, step[2])
                elif text:
                    self._lines.append(text)


def _shown(command: Sequence[str]) -> str:
    return repr(" ".join(command))
