"""Setting up: when its page is shown, what its buttons do, and when the worker starts anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import qt
from slicer.i18n import tr as _

from DiffusionSegLib.backbones.fetching.space import shown_bytes
from DiffusionSegLib.environments.finding import Finding, Remedy
from DiffusionSegLib.environments.isolated import default_environment
from DiffusionSegLib.environments.packages import missing
from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.worker.command import default_command
from DiffusionSegPanel import installation, setup_work
from DiffusionSegPanel.background import Background, Outcome
from DiffusionSegPanel.plain_signal import Signal
from DiffusionSegPanel.pytorch_extension import PyTorchExtension
from DiffusionSegPanel.setup_findings import SetupFindings
from DiffusionSegPanel.setup_plan import SetupPlan
from DiffusionSegPanel.setup_section import SetupSection, SetupState
from DiffusionSegPanel.setup_words import (
    introduction,
    removalOfEnvironment,
    removalOfEverything,
    whatStays,
)

__all__ = ["SetupController"]

_DRIVERS = "https://www.nvidia.com/drivers"


class SetupController:
    """Nothing starts by itself: it looks, and waits for a button.

    Signals: workerMustStop, before the files that it runs from change; workerChanged, when another
    one has to be started (then `holdsWorker` is False again); forgotten, when the settings were
    removed.
    """

    def __init__(self, placeholder: Any, settings: Any, resourcePath: Callable[[str], str]) -> None:
        self.workerMustStop, self.workerChanged = Signal(), Signal()
        self.settings = settings
        self.section = SetupSection(placeholder, resourcePath)
        self.work = Background()
        self.extension = PyTorchExtension()
        self.findings = SetupFindings(settings)
        self.plan = SetupPlan(settings, self.section)
        self.holdsWorker = False
        self._isOpened = self._isInstallingHere = self._isStoppable = self._isClosed = False
        self._said = ""
        self._remove: Callable[[], None] | None = None
        self.plan.restore()
        self._join()

    def _join(self) -> None:
        section = self.section
        section.changed.connect(self._onChosen)
        section.installRequested.connect(self.install)
        section.stopRequested.connect(self._onStop)
        section.repairRequested.connect(self.repair)
        section.removeRequested.connect(partial(self._list, True))
        section.removeAllRequested.connect(partial(self._list, False))
        section.confirmed.connect(self._onConfirmed)
        section.kept.connect(self._onKept)
        section.closed.connect(self.close)
        section.rows.mendRequested.connect(self.mend)
        section.rows.postponed.connect(self._onPostponed)
        self.work.progressed.connect(section.progress)
        self.extension.said.connect(self._onExtension)
        self.findings.changed.connect(self.refresh)
        self.plan.changed.connect(self.refresh)

    # What the page tells it

    def enter(self) -> None:
        """The module is shown: look whether something is missing. Imports nothing."""
        if not self.isBusy and not self._isOpened:
            self._said = ""
        if self._lacking() and self.findings.isTorchThere():
            self.findings.look()  # perhaps it is broken, not missing
        self.refresh()

    def open(self, extra: str = "") -> None:
        """The user wants to see the page; with that extra ticked."""
        self._isOpened = True
        if extra:
            self.plan.tick(extra)
        self.findings.look()
        self.refresh()

    def close(self) -> None:
        """The user has seen it."""
        self._isOpened, self._said = False, ""
        self._onKept()

    def update(self, choice: Any) -> None:
        """What the chosen method and model need is ticked, until the user decided."""
        if self.plan.follow(choice):
            self.refresh()

    def onHello(self, hello: Any) -> None:
        """The worker said what it computes with: is there reason to look closer? What was found
        before may hold no more, or be about more than a GPU."""
        if self.settings.command or self.isBusy:
            return
        if hello.problem or self.findings.isWhole:
            self.findings.look()
        elif not any(one.usable and one.name.startswith("cuda") for one in hello.devices):
            self.findings.lookForGpu()

    def onFailed(self) -> None:
        """The worker does not start."""
        if not self.settings.command and not self.isBusy:
            self.findings.look()
            self.refresh()

    def poll(self) -> None:
        """Deliver what the threads found."""
        for one in (self.work, self.findings, self.plan):
            one.poll()

    def cleanup(self) -> None:
        """The end of Slicer or of the page: what runs is cancelled."""
        self._isClosed = True
        self.extension.cleanup()
        self.findings.close()
        self.plan.close()
        self.work.close()
        self.section.cleanup()

    @property
    def isBusy(self) -> bool:
        """Whether something is installed or removed."""
        return self.work.isRunning or self._isInstallingHere or self.extension.isInstalling

    @property
    def wantsPoll(self) -> bool:
        """Whether a thread has something to deliver."""
        return self.work.isRunning or self.findings.isRunning or self.plan.isRunning

    @property
    def whyNotReady(self) -> str:
        """Why nothing can be outlined, as far as it is known here; else ""."""
        if self.holdsWorker:
            return _("DiffusionSeg is being set up.")
        if self._lacking():
            return _("Python packages are missing; see Set up.")
        return ""

    @property
    def explains(self) -> bool:
        """Whether the page says what is wrong, so that nobody else need."""
        return bool(self._lacking() or any(one.blocks for one in self.findings.shown(False)))

    # What the buttons do

    def install(self) -> None:
        """Where and what the choices say."""
        self.plan.remember()
        if self.section.isIsolated:
            self._build(self.section.extras)
        else:
            self._installHere(self._installAll)

    def repair(self) -> None:
        """What is broken is made again, and what is good is kept."""
        if default_environment().marker is not None:
            self._build(())
        else:
            self._installHere(self._repairHere)

    def mend(self, finding: Finding) -> None:
        """The one thing that mends a finding."""
        if finding.remedy in (Remedy.CREATE_ENVIRONMENT, Remedy.REPAIR_ENVIRONMENT):
            self._build(self.section.extras)
        elif finding.remedy is Remedy.INSTALL_PACKAGES:
            self._installHere(partial(installation.installPackages, self.section.extras))
        elif finding.remedy is Remedy.INSTALL_TORCH:
            self._installHere(installation.installTorch)
        elif finding.remedy is Remedy.REPLACE_TORCH:
            self._installHere(installation.replaceTorch)
        elif finding.remedy is Remedy.INSTALL_PYTORCH_EXTENSION:
            self.extension.install()
        elif finding.remedy is Remedy.UPDATE_DRIVER:
            qt.QDesktopServices.openUrl(qt.QUrl(_DRIVERS))
        self.refresh()

    def _build(self, extras: Sequence[str]) -> None:
        environment = default_environment()
        marker = environment.marker
        if marker is not None:
            self._stopWorker()
            extras = tuple(dict.fromkeys([*marker.extras, *extras]))
        wheels = self.section.wheels
        self._begin(_("Looking for a Python"), isStoppable=True)
        self.work.start(
            lambda progress: setup_work.build(environment, extras, wheels, progress), self._onBuilt
        )
        self.refresh()

    def _onBuilt(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            self._end(str(outcome.error), hasChanged=self.holdsWorker)
        elif outcome.isCancelled:
            words = _("Stopped. What was downloaded is kept; Install goes on from there.")
            self._end(words, hasChanged=self.holdsWorker)
        else:
            self.settings.command, self.settings.putAside = "", ()  # they were of the old one
            words = _("Ready: the worker runs in {folder}.")
            self._end(words.format(folder=default_environment().folder))

    def _installHere(self, action: Callable[[], None]) -> None:
        """On the main thread: Slicer shows its own dialogs, and other events come meanwhile."""
        self._stopWorker()
        self._begin(_("Slicer installs"))
        self._isInstallingHere = True
        self.refresh()
        sentence = _("Done: the packages are in Slicer's own Python.")
        try:
            action()
        except DiffusionSegError as error:
            sentence = str(error)
        finally:
            self._isInstallingHere = False
        if not self._isClosed:
            self._end(sentence)

    def _installAll(self) -> None:
        extras = self.section.extras
        if any(one.module == "torch" for one in missing()):
            installation.installTorch()
        installation.installPackages(extras)

    def _repairHere(self) -> None:
        remedies = {one.remedy for one in self.findings.shown(True) if one.blocks}
        if Remedy.REPLACE_TORCH in remedies:
            installation.replaceTorch()
        self._installAll()

    def _list(self, isEnvironmentOnly: bool) -> None:
        """First press: say what would go."""
        environment = default_environment() if isEnvironmentOnly else None
        self._begin(_("Looking what is there"))

        def onListed(outcome: Outcome) -> None:
            if outcome.error is not None:
                self._end(str(outcome.error), hasChanged=False)
                return
            found = outcome.value
            if environment is not None:
                words = removalOfEnvironment(*found)
            else:
                words = removalOfEverything(found)
            items = () if environment is not None else found
            self._end("", hasChanged=False)
            self._remove = partial(self._delete, environment, items)
            self.section.askToRemove(words)

        self.work.start(lambda _progress: setup_work.listed(environment), onListed)
        self.refresh()

    def _onConfirmed(self) -> None:
        """Second press."""
        action, self._remove = self._remove, None
        self.section.askToRemove("")
        if action is not None:
            action()

    def _delete(self, environment: Any, items: Sequence[Any]) -> None:
        self._stopWorker()
        self._begin(_("Deleting"))

        def onDeleted(outcome: Outcome) -> None:
            if outcome.error is not None:
                self._end(str(outcome.error))
                return
            words = _("Deleted: {size} are free again.").format(size=shown_bytes(outcome.value))
            if environment is None:
                self.settings.clear()
                self.plan.restore()
                words = f"{words} {whatStays()}"
            self._end(words)

        self.work.start(lambda progress: setup_work.remove(environment, items, progress), onDeleted)
        self.refresh()

    def _onKept(self) -> None:
        self._remove = None
        self.section.askToRemove("")
        self.refresh()

    def _onStop(self) -> None:
        if self.extension.isInstalling:
            self.extension.leave()
        else:
            self.section.stopping()
            self.work.cancel()

    def _onPostponed(self, finding: Finding) -> None:
        self.settings.putAside = self.settings.putAside | {finding.code}
        self.refresh()

    def _onExtension(self, sentence: str) -> None:
        if self.extension.isInstalling:
            self.section.begin(sentence)
            self.refresh()
        else:
            self._end(sentence, hasChanged=False)

    def _onChosen(self) -> None:
        self.plan.remember()
        self.refresh()

    # Beginning and end

    def _begin(self, sentence: str, isStoppable: bool = False) -> None:
        self._said, self._isStoppable = "", isStoppable
        self._remove = None
        self.section.askToRemove("")
        self.section.begin(sentence)

    def _end(self, sentence: str, hasChanged: bool = True) -> None:
        """Say how it ended; the worker starts anew where its files may have changed."""
        self._said, self._isStoppable = sentence, False
        self.section.say(sentence)
        self.plan.forget()
        if hasChanged:
            self.holdsWorker = False
            self.findings.forget()
            if self._isOpened or self._lacking():
                self.findings.look()
            self.workerChanged.emit()
        self.refresh()

    def _stopWorker(self) -> None:
        self.holdsWorker = True
        self.workerMustStop.emit()

    def _lacking(self) -> tuple[Any, ...]:
        """The packages without which the worker cannot compute; () where that is not our Python."""
        if self.settings.command or default_environment().state == "ready":
            return ()
        return missing()

    def refresh(self) -> None:
        """Show how things stand, or hide the page when nothing is wrong."""
        if self._isClosed:
            return
        lacking = self._lacking()
        found = self.findings.shown(self._isOpened)
        if lacking or self._isOpened:
            found = (*found, *self.plan.findings)
        if self.isBusy:
            found = ()  # it is being mended
        isNeeded = bool(lacking or any(one.blocks for one in found))
        isShown = bool(self._isOpened or isNeeded or found or self.isBusy or self._said)
        self.section.setShown(isShown)
        if not isShown:
            return
        hasChoices = self._isOpened or isNeeded or self.isBusy
        if hasChoices and not self.isBusy:
            self.plan.want()
        environment = default_environment()
        isBroken = any(one.blocks for one in self.findings.shown(True))
        self.section.show(
            SetupState(
                introduction(lacking, default_command()[0], self._isOpened),
                found,
                hasChoices,
                not isNeeded and (self._isOpened or not found),
                self.plan.words,
                self.isBusy,
                self.extension.isInstalling or (self.work.isRunning and self._isStoppable),
                self.plan.whyNot,
                installation.whyNotHere(),
                environment.marker is not None or isBroken,
                environment.marker is not None,
                self.work.isStopping,
            )
        )

    def report(self) -> list[str]:
        """For the system report."""
        environment = default_environment()
        marker = environment.marker
        lines = [f"Environment of its own: {environment.state} ({environment.folder})"]
        if marker is not None:
            extras = ", ".join(marker.extras) or "none"
            lines.append(f"  torch build {marker.torch_build}, extras {extras}")
        lines += [f"Missing here: {one.requirement}" for one in missing()]
        lines += [f"Finding {one.code}: {one.sentence}" for one in self.findings.shown(True)]
        return lines
