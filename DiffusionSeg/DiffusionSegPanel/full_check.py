"""The full check: lets the doctor examine the Python where the worker runs, when asked to."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from slicer.i18n import tr as _

from DiffusionSegLib.doctor.child import LIMIT_S, examine
from DiffusionSegLib.doctor.command import doctor_command
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.worker.command import foreign_environment
from DiffusionSegPanel.background import Background, Outcome
from DiffusionSegPanel.check_report import checkReport
from DiffusionSegPanel.check_section import CheckSection
from DiffusionSegPanel.check_words import verdict, wasStopped, whyNoCheck
from DiffusionSegPanel.system_report import installationReport
from DiffusionSegPanel.worker_settings import workerCommand

__all__ = ["FullCheck"]


class FullCheck:
    """One child process at a time, which gives way to a run and to setting up, and never outlives
    the page.

    known: what `installationReport` takes, the typed worker command first. options: more words for
    the doctor; limitS: of the whole check.
    """

    def __init__(
        self, ui: Any, known: Callable[[], tuple[Any, ...]], outliner: Any, setup: Any
    ) -> None:
        self._known, self._outliner, self._setup = known, outliner, setup
        self.options: tuple[str, ...] = ()
        self.limitS = LIMIT_S
        self.section = CheckSection(ui)
        self._work = Background()
        self._work.progressed.connect(self.section.progress)
        self.section.startRequested.connect(self.start)
        self.section.stopRequested.connect(self._onStop)
        setup.workerChanged.connect(self._onSetUp)

    @property
    def isRunning(self) -> bool:
        """Whether a check is under way."""
        return self._work.isRunning

    def start(self) -> None:
        """Examine where the worker of the settings runs, unless something speaks against it."""
        if self.isRunning or self._whyNot():
            return
        known = self._known()
        typed, own = known[0], installationReport(*known)
        try:
            command = doctor_command(workerCommand(typed))
        except DiffusionSegError as error:
            self.section.end(str(error), checkReport(own, typed, None, error))
            return
        environment = foreign_environment(command)
        limitS, options = self.limitS, self.options
        self.section.begin()
        self._work.start(
            lambda progress: examine(command, environment, progress, limitS, options),
            partial(self._onEnded, own, typed),
        )

    def stop(self, sentence: str) -> None:
        """End the child at once, and say why; nothing when no check is under way."""
        if self.isRunning:
            self._work.close()
            self.section.end(sentence)

    def leave(self) -> None:
        """The module is left."""
        self.stop(_("The check was stopped, because the module was left."))

    def forget(self) -> None:
        """Another worker is used from now on; what was found holds no more."""
        self._work.close()
        self.section.clear()

    def poll(self) -> None:
        """Deliver how far it is and how it ended; give way to what the user began meanwhile."""
        self._work.poll()
        whyNot = self._whyNot()
        if whyNot:
            self.stop(wasStopped(whyNot))
        self.section.setReady(whyNot)
        self.section.poll()

    def cleanup(self) -> None:
        """The end of the page: the child ends, nothing calls back."""
        self._work.close()
        self.section.cleanup()

    def _whyNot(self) -> str:
        setup = self._setup
        return whyNoCheck(self._outliner.isBusy, setup.isBusy or setup.holdsWorker)

    def _onStop(self) -> None:
        self.section.stopping()
        self._work.cancel()

    def _onSetUp(self) -> None:
        """What was found before holds no more; why no check was made does."""
        if self.section.hasReport:
            self.section.clear()

    def _onEnded(self, own: str, typed: str, outcome: Outcome) -> None:
        if outcome.isCancelled:
            self.section.end(_("The check was stopped."))
            return
        words = str(outcome.error) if outcome.error is not None else verdict(outcome.value)
        self.section.end(words, checkReport(own, typed, outcome.value, outcome.error))
        if outcome.value is None or not outcome.value.works:
            self._setup.onFailed()  # perhaps it has a button that mends it
