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
        self._lacking: tuple[str, str] | None = None  # said by the last run; the extra that helps
        link.changed.connect(self._onAnswered)
        link.failed.connect(self._onFailed)
        setup.workerMustStop.connect(self._onMustStop)
        setup.workerChanged.connect(self.restart)
        setup.findings.changed.connect(self._tellProblem)

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
        self._lacking = None
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

    def onRunFailed(self, error: DiffusionSegError) -> None:
        """A run failed: where a package is missing, setting up is offered."""
        extra = extraIn(str(error))
        self._lacking = None if extra is None else (str(error), extra)
        self._tellProblem()

    def onRunFinished(self) -> None:
        """A run ended well, so nothing is missing and the worker is there."""
        self._lacking = None
        self._link.noteAnswer()
        self._tellProblem()

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
