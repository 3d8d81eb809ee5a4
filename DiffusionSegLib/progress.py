"""One small object, passed down, that reports progress and notices cancellation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from DiffusionSegLib.errors import Cancelled

__all__ = ["Progress", "ProgressReport"]

T = TypeVar("T")


@dataclass(frozen=True)
class ProgressReport:
    """What a listener is told: `fraction` in [0, 1], times in seconds since the start."""

    fraction: float
    stage: str
    elapsed_s: float
    remaining_s: float | None
    preview: object | None = None


class _Root:
    """What all parts of one job share: who listens, who cancels, the clock, the last report."""

    def __init__(
        self,
        listener: Callable[[ProgressReport], None] | None,
        cancelled: Callable[[], bool] | None,
        accept: Callable[[], bool] | None,
    ) -> None:
        self.listener = listener
        self.cancelled = cancelled
        self.accept = accept
        self.start_s = time.monotonic()
        self.fraction = 0.0
        self.stage = ""


class Progress:
    """Reports a fraction in [0, 1] and a stage, and raises Cancelled when the user asked to stop.

    A child made by `part` maps its own [0, 1] to a sub-interval of its parent's.
    The fraction that the listener sees never decreases. `accept` tells whether what there is
    is good enough: see `enough`.
    """

    def __init__(
        self,
        listener: Callable[[ProgressReport], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
        accept: Callable[[], bool] | None = None,
    ) -> None:
        self._root = _Root(listener, cancelled, accept)
        self._start, self._end = 0.0, 1.0
        self._stage: str | None = None

    @staticmethod
    def silent() -> Progress:
        """A progress that nobody listens to and nobody cancels."""
        return Progress()

    @property
    def enough(self) -> bool:
        """Whether the user takes what there is: a job that can, finishes early with a result."""
        return self._root.accept is not None and self._root.accept()

    def check(self) -> None:
        """Raise Cancelled when the user asked to stop."""
        if self._root.cancelled is not None and self._root.cancelled():
            raise Cancelled()

    def report(
        self, fraction: float, stage: str | None = None, preview: object | None = None
    ) -> None:
        """Tell the listener that `fraction` of this part is done; raise Cancelled if asked to."""
        self.check()
        root = self._root
        within = min(max(float(fraction), 0.0), 1.0)
        # A report from a part never moves the bar back, whatever order parts report in.
        root.fraction = max(root.fraction, self._start + (self._end - self._start) * within)
        root.stage = stage or self._stage or root.stage
        if root.listener is None:
            return
        elapsed_s = time.monotonic() - root.start_s
        remaining_s = _remaining_s(root.fraction, elapsed_s)
        root.listener(ProgressReport(root.fraction, root.stage, elapsed_s, remaining_s, preview))

    def part(self, start: float, end: float, stage: str | None = None) -> Progress:
        """A child whose [0, 1] is [start, end] of this one."""
        if not 0.0 <= start <= end <= 1.0:
            raise ValueError(f"a part needs 0 <= start <= end <= 1, not {start} and {end}")
        child = Progress.__new__(Progress)
        child._root = self._root
        width = self._end - self._start
        child._start = self._start + width * start
        child._end = self._start + width * end
        child._stage = stage or self._stage
        return child

    def track(self, items: Sequence[T], stage: str | None = None) -> Iterator[T]:
        """Iterate, reporting before the first item and after each one."""
        count = len(items)
        self.report(0.0, stage)
        for done, item in enumerate(items, start=1):
            yield item
            self.report(done / count, stage)


def _remaining_s(fraction: float, elapsed_s: float) -> float | None:
    if fraction <= 0.0:
        return None
    return elapsed_s * (1.0 - fraction) / fraction
