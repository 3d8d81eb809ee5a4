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

    Signals: stopping, before the worker is ended because its files are about to change;
    restarting, before another one starts; changed, when what is known of the worker changed.
    """

    def __init__(self, link: Any, setup: Any, notice: Any, settings: Any) -> None:
        self.stopping, self.restarting, self.changed = Signal(), Signal(), Signal()
        self._link, self._setup, self._notice, self._settings = link, setup, notice, settings
        self.failure = ""  # why the worker does not answer; "" while it may
        link.changed.connect(self._onAnswered)
        link.failed.connect(self._onFailed)
        setup.workerMustStop.connect(self._onMustStop)
        setup.workerChanged.connect(self.restart)
        setup.findings.changed.connect(self._tellProblem)

    def start(self) -> None:
        """Start one, unless there is one or its files are being changed."""
        if self._link.client is None and not self._setup.holdsWorker:
            self.failure = ""
            self._link.connect(self._settings.command)

    def restart(self) -> None:
        """End the worker that there is and start the one of the settings."""
        self.failure = ""
        self._notice.tell("")
        self.restarting.emit()
        if not self._setup.holdsWorker:
            self._link.connect(self._settings.command)
        self._setup.refresh()  # another command may need other packages
        self.changed.emit()

    def onRunFailed(self, error: DiffusionSegError) -> None:
        """A run failed: where a package is missing, setting up is offered."""
        extra = extraIn(str(error))
        if extra is not None:
            self._notice.tell(str(error), extra)

    def _onAnswered(self) -> None:
        self.failure = ""
        if self._link.hello is not None:
            self._setup.onHello(self._link.hello)
        self._tellProblem()
        self.changed.emit()

    def _tellProblem(self) -> None:
        """Also when more was found of its Python; a failure stands until a worker answers."""
        hello = self._link.hello
        problem = self.failure or str((hello.problem if hello else "") or "")
        self._notice.tell("" if self._setup.explains else problem, "")

    def _onFailed(self, error: DiffusionSegError) -> None:
        self.failure = str(error)
        self._setup.onFailed()
        self._tellProblem()
        self.changed.emit()

    def _onMustStop(self) -> None:
        self.failure = ""
        self.stopping.emit()
        self._link.close()
        shared().closeOwn()
        self.changed.emit()
