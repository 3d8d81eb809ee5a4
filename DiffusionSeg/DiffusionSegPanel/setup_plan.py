"""What Install would do: the choices, remembered on this machine, and the sentences about them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from DiffusionSegLib.environments.finding import Finding, Remedy
from DiffusionSegLib.environments.isolated import default_environment
from DiffusionSegLib.environments.packages import missing
from DiffusionSegLib.worker.command import default_command
from DiffusionSegPanel import installation, setup_work
from DiffusionSegPanel.background import Background, Outcome
from DiffusionSegPanel.plain_signal import Signal
from DiffusionSegPanel.setup_words import atEnd, planForSlicer

__all__ = ["SetupPlan"]


class SetupPlan:
    """Signal: changed, when the sentences for an environment were found."""

    def __init__(self, settings: Any, section: Any) -> None:
        self.changed = Signal()
        self._settings, self._section = settings, section
        self._background = Background()
        self._key: Any = None
        self._words: tuple[str, ...] = ()
        self._problem = ""

    @property
    def isRunning(self) -> bool:
        """Whether a plan is being made."""
        return self._background.isRunning

    @property
    def extras(self) -> tuple[str, ...]:
        """Those that are ticked."""
        return tuple(self._section.extras)

    def restore(self) -> None:
        """The choices as they were left."""
        settings = self._settings
        isIsolated = settings.isIsolated or bool(installation.whyNotHere())
        marker = default_environment().marker
        extras = set(settings.extras or ()) | set(marker.extras if marker else ())
        self._section.choose(isIsolated, sorted(extras), settings.wheels)

    def remember(self) -> None:
        """Keep the choices on this machine."""
        settings, section = self._settings, self._section
        settings.isIsolated, settings.extras = section.isIsolated, section.extras
        settings.wheels = "" if section.wheels is None else str(section.wheels)

    def tick(self, extra: str) -> None:
        """Add an extra to the choices."""
        self._choose({*self.extras, extra})

    def follow(self, choice: Any) -> bool:
        """Tick what a Choice needs, until the user decided; returns whether that is new.

        Known are: prompts in words, and models that are fetched from a public place.
        """
        if self._settings.extras is not None or choice.method is None:
            return False
        wanted = {"text"} if "text" in choice.prompts else set()
        if choice.model is not None and choice.model.state != "ready":
            wanted.add("hub")
        marker = default_environment().marker
        wanted |= set(marker.extras if marker else ())
        if wanted == set(self.extras):
            return False
        self._choose(wanted)
        return True

    def want(self) -> None:
        """Make a plan for the choices, away from the main thread, if it is another one."""
        section = self._section
        if not section.isIsolated or section.lacksWheels:
            self.forget()
            return
        environment = default_environment()
        wheels, extras = section.wheels, section.extras
        key = (environment.folder, environment.state, extras, wheels)
        if key == self._key:
            return
        self.forget()
        self._key = key
        self._background.start(
            lambda _progress: setup_work.plan(environment, extras, wheels), self._onPlanned
        )

    def forget(self) -> None:
        """The plan holds no more."""
        self._background.drop()
        self._key, self._words, self._problem = None, (), ""

    @property
    def words(self) -> str:
        """What will be done."""
        if not self._section.isIsolated:
            return planForSlicer(
                self.extras, default_command()[0], Path(sys.prefix), self._isFirst()
            )
        if self._problem:
            return self._problem
        if self.isRunning:
            return _("Looking for a Python that can carry it.")
        return "\n".join([*self._words, *(atEnd(self._settings.command) if self._words else ())])

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What stands in the way of the chosen place."""
        if self._section.isIsolated or installation.whyNotHere():
            return ()
        lacksTorch = any(one.module == "torch" for one in missing())
        if not lacksTorch or installation.hasPyTorchExtension():
            return ()
        sentence = _(
            "torch comes into Slicer's own Python through the extension PyTorch, which knows the "
            "build that fits this computer, and that is not installed."
        )
        remedy = Remedy.INSTALL_PYTORCH_EXTENSION
        return (Finding("pytorch-extension-missing", sentence, remedy, True),)

    @property
    def whyNot(self) -> str:
        """Why Install cannot be pressed; "" when it can."""
        section = self._section
        if section.isIsolated:
            if section.lacksWheels:
                return _("Choose the folder or the bundle with the wheels.")
            environment = default_environment()
            marker = environment.marker
            isThere = environment.state == "ready" and not self._settings.command
            if isThere and marker is not None and set(self.extras) <= set(marker.extras):
                return _("Everything that is chosen is installed; Repair mends it.")
            return self._problem
        if installation.whyNotHere():
            return installation.whyNotHere()
        lacking = missing(self.extras)
        if not lacking:
            return _("Everything that is chosen is installed.")
        if self.findings:
            return _("Install the PyTorch extension first, which knows the torch that fits.")
        return ""

    def poll(self) -> None:
        """Take in a plan that was made."""
        self._background.poll()

    def close(self) -> None:
        """The end; nobody waits for the plan."""
        self._background.drop()

    def _isFirst(self) -> bool:
        """Whether an empty worker command means Slicer's own Python."""
        return default_environment().state != "ready"

    def _choose(self, extras: set[str]) -> None:
        section = self._section
        wheels = "" if section.wheels is None else str(section.wheels)
        section.choose(section.isIsolated, sorted(extras), wheels)

    def _onPlanned(self, outcome: Outcome) -> None:
        self._words = outcome.value or ()
        self._problem = "" if outcome.error is None else str(outcome.error)
        self.changed.emit()
