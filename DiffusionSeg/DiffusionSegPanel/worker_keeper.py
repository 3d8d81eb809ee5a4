"""Starts the page's worker, starts it anew when it has to run elsewhere, says what ails it."""

from __future__ import annotations

from typing import Any

from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegPanel.plain_signal import Signal
from DiffusionSegPanel.setup_words import extraIn
from DiffusionSegPanel.shared import shared

__all__ = ["WorkerKeeper"]


class WorkerKeeper:
    """Stands between the worker (link), setting up and the notice.

    outliner: its `finished`, `failed` and `stopped` are listened to. Signals: stopping, before the
    worker is ended because its files are about to change; restarting, before another one starts;
    changed, when what is known of the worker changed.
    """

    def __init__(self, link: Any, setup: Any, notice: Any, settings: Any, outliner: Any) -> None:
        self.stopping, self.restarting, self.changed = Signal(), Signal(), Signal()
        self._link, self._setup, self._notice, self._settings = link, setup, notice, settings
        self._isDue = False  # another worker has to be started as soon as no run would be lost
        self._lacking: tuple[str, str] | None = None  # said by the last run; the extra that helps
        link.changed.connect(self._onAnswered)
        link.failed.connect(self._onFailed)
        setup.workerMustStop.connect(self._onMustStop)
        setup.workerChanged.connect(self._onWorkerChanged)
        setup.findings.changed.connect(self._tellProblem)
        outliner.finished.connect(self._onRunFinished)
        outliner.failed.connect(self._onRunFailed)
        outliner.stopped.connect(self._onRunEnded)
        link.rested.connect(self._onRunEnded)

    @property
    def failure(self) -> str:
        """Why the worker does not answer; "" while it may."""
        return str(self._link.error or "")

    def start(self) -> None:
        """Start one, unless there is one or its files are being changed."""
        if self._link.isDown and not self._setup.holdsWorker:
            self._link.connect(self._settings.command)
            self._tellProblem()

    def restart(self) -> None:
        """End the worker that there is and start the one of the settings."""
        self._lacking, self._isDue = None, False
        self.restarting.emit()
        if not self._setup.holdsWorker:
            self._link.connect(self._settings.command)
        self._setup.refresh()  # another command may need other packages
        self._tellProblem()
        self.changed.emit()

    def setUp(self, extra: str) -> None:
        """The user follows the notice to the page for setting up."""
        self._lacking = None
        self._setup.open(extra)

    def cleanup(self) -> None:
        """No other worker is started."""
        self._isDue = False

    def _onWorkerChanged(self) -> None:
        """A run on a worker that did not have to stop may end first."""
        self._isDue = True
        self._onRunEnded()

    def _onRunEnded(self, _how: Any = None) -> None:
        if self._isDue and not self._link.isOutlining:
            self.restart()

    def _onRunFailed(self, error: DiffusionSegError) -> None:
        """Where a package is missing, setting up is offered."""
        extra = extraIn(str(error))
        self._lacking = None if extra is None else (str(error), extra)
        self._tellProblem()
        self._onRunEnded()

    def _onRunFinished(self, _result: Any) -> None:
        """Nothing is missing, and the worker is there."""
        self._lacking = None
        self._link.noteAnswer()
        self._tellProblem()
        self._onRunEnded()

    def _onAnswered(self) -> None:
        if self._link.hello is not None:
            self._setup.onHello(self._link.hello)
        self._tellProblem()
        self.changed.emit()

    def _tellProblem(self) -> None:
        """As things stand now, whatever it was that changed."""
        hello = self._link.hello
        problem = self.failure or str((hello.problem if hello else "") or "")
        if self._setup.explains:
            problem = ""
        said = (problem, "") if problem or self._lacking is None else self._lacking
        self._notice.tell(*said)

    def _onFailed(self, _error: DiffusionSegError) -> None:
        self._setup.onFailed()
        self._tellProblem()
        self.changed.emit()

    def _onMustStop(self) -> None:
        self._lacking = None
        self.stopping.emit()
        self._link.close()
        shared().closeOwn()
        self._tellProblem()
        self.changed.emit()
