"""Shows progress on stderr: a bar on a terminal, lines elsewhere: every few seconds one, and where
a program listens (doctor/child.py reads them) one for every stage."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TextIO

from DiffusionSegLib.progress import Progress, ProgressReport

SECONDS_BETWEEN_LINES = 5.0


@contextmanager
def progress_bar(
    quiet: bool = False, stream: TextIO | None = None, *, every_stage: bool = False
) -> Iterator[Progress]:
    """A Progress that is shown while the block runs; quiet shows nothing; every_stage: a line for
    each at once."""
    target = stream if stream is not None else sys.stderr
    if quiet:
        yield Progress.silent()
    elif target.isatty() and find_spec("rich") is not None:
        with _bar(target) as progress:
            yield progress
    else:
        yield Progress(listener=_PlainLines(target, every_stage))


@contextmanager
def _bar(stream: TextIO) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}", table_column=None),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[remaining]}"),
    )
    # A redirected stdout must not be drawn into the bar: it would end in stderr.
    bar = Bar(
        *columns, console=Console(file=stream), transient=True, redirect_stdout=sys.stdout.isatty()
    )
    with bar:
        task = bar.add_task("", total=1.0, remaining="")

        def show(report: ProgressReport) -> None:
            bar.update(
                task,
                completed=report.fraction,
                description=report.stage.replace("[", r"\["),
                remaining=remaining_text(report.remaining_s),
            )

        yield Progress(listener=show)


class _PlainLines:
    """A line at most every few seconds, so that a log stays readable; if asked for, also where a
    stage begins."""

    def __init__(self, stream: TextIO, every_stage: bool) -> None:
        self._stream, self._every_stage = stream, every_stage
        self._last, self._stage = time.monotonic(), ""

    def __call__(self, report: ProgressReport) -> None:
        now = time.monotonic()
        begins = self._every_stage and report.stage != self._stage
        if not begins and now - self._last < SECONDS_BETWEEN_LINES:
            return
        self._last, self._stage = now, report.stage
        remaining = remaining_text(report.remaining_s)
        words = [f"{100 * report.fraction:3.0f} %", report.stage, remaining]
        print("  ".join(word for word in words if word), file=self._stream, flush=True)


def remaining_text(seconds: float | None) -> str:
    """In words: "12 s left", "3 min left", "2 h 5 min left"; nothing when unknown."""
    if seconds is None or seconds <= 0:
        return ""
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s left"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min left"
    return f"{minutes // 60} h {minutes % 60} min left"
