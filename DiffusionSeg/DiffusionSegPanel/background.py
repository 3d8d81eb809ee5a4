"""Work that takes long, on a thread of its own; whoever started it polls for the end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from DiffusionSegLib.errors import Cancelled, DiffusionSegError
from DiffusionSegLib.progress import Progress, ProgressReport
from DiffusionSegLib.worker.failures import explained
from DiffusionSegPanel.plain_signal import Signal

__all__ = ["Background", "Outcome"]

_PATIENCE_S = 5.0
_BREATH_S = 0.001  # for the thread, where Slicer's event loop keeps Python's lock between calls


@dataclass(frozen=True)
class Outcome:
    """How it ended: with a value, an error, or cancelled."""

    value: Any = None
    error: DiffusionSegError | None = None
    isCancelled: bool = False


class Background:
    """One piece of work at a time. Signal: progressed (ProgressReport).

    What runs on the thread must know nothing of Qt and MRML. Everything is delivered by `poll`.
    """

    def __init__(self) -> None:
        self.progressed = Signal()
        self._run: _Run | None = None

    @property
    def isRunning(self) -> bool:
        """Whether an end is still to be delivered."""
        return self._run is not None

    @property
    def isStopping(self) -> bool:
        """Whether it was asked to stop, and its end is still to be delivered."""
        return self._run is not None and self._run.cancelled.is_set()

    def start(self, work: Callable[[Progress], Any], onEnded: Callable[[Outcome], None]) -> None:
        """Do it. What ran before is cancelled, and its end is not delivered."""
        self.drop()
        self._run = _Run(work, onEnded)
        self._run.thread.start()

    def cancel(self) -> None:
        """Ask it to stop; its end is delivered as usual."""
        if self._run is not None:
            self._run.cancelled.set()

    def drop(self) -> None:
        """Ask it to stop, and do not wait; its end is not delivered."""
        self.cancel()
        self._run = None

    def poll(self) -> None:
        """Deliver the latest progress, and the end."""
        run = self._run
        if run is None:
            return
        run.thread.join(_BREATH_S)
        report = run.report
        if report is not run.delivered:
            run.delivered = report
            self.progressed.emit(report)
        if run.outcome is not None and self._run is run:
            self._run = None
            run.onEnded(run.outcome)

    def close(self) -> None:
        """Stop it and give it time to tidy up; nothing is delivered any more."""
        run = self._run
        self.drop()
        if run is not None:
            run.thread.join(_PATIENCE_S)


class _Run:
    """The thread, and what it leaves to be fetched; each is written by one side only."""

    def __init__(self, work: Callable[[Progress], Any], onEnded: Callable[[Outcome], None]) -> None:
        self.cancelled = threading.Event()
        self.report: ProgressReport | None = None
        self.delivered: ProgressReport | None = None
        self.outcome: Outcome | None = None
        self.onEnded = onEnded
        self._work = work
        self.thread = threading.Thread(target=self._do, name="DiffusionSeg set-up", daemon=True)

    def _do(self) -> None:
        progress = Progress(self._hear, self.cancelled.is_set)
        try:
            outcome = Outcome(self._work(progress))
        except Cancelled:
            outcome = Outcome(isCancelled=True)
        except Exception as error:  # noqa: BLE001 - a thread that dies must be heard of
            outcome = Outcome(error=explained(error))
        self.outcome = outcome

    def _hear(self, report: ProgressReport) -> None:
        self.report = report
