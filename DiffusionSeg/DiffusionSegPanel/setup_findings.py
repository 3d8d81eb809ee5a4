"""What is wrong where the worker runs, looked for when somebody needs to know."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import logging
from collections.abc import Callable
from typing import Any

from DiffusionSegLib.environments.finding import Finding
from DiffusionSegLib.environments.isolated import default_environment
from DiffusionSegLib.environments.packages import missing
from DiffusionSegPanel import installation, setup_work
from DiffusionSegPanel.background import Background, Outcome
from DiffusionSegPanel.plain_signal import Signal

__all__ = ["SetupFindings"]

_SAID_BY_THE_PAGE = ("torch-missing", "package-missing")


class SetupFindings:
    """Signal: changed. Python is probed in a child process, away from the main thread."""

    def __init__(self, settings: Any) -> None:
        self.changed = Signal()
        self._settings = settings
        self._background = Background()
        self._found: tuple[Finding, ...] = ()
        self._isWhole = False

    @property
    def isRunning(self) -> bool:
        """Whether it looks just now."""
        return self._background.isRunning

    @property
    def isWhole(self) -> bool:
        """Whether all was looked at, or is just now: more than why a GPU is not used."""
        return self._isWhole

    def isTorchThere(self) -> bool:
        """Whether this Python knows a torch, good or broken; nothing is imported."""
        if importlib.util.find_spec("torch") is not None:
            return True
        try:
            importlib.metadata.version("torch")
        except importlib.metadata.PackageNotFoundError:
            return False
        return True

    def look(self) -> None:
        """Ask the Python where the worker runs what it has."""
        self._isWhole = self._start(setup_work.pythonFindings) or self._isWhole

    def lookForGpu(self) -> None:
        """The same on a computer with an NVIDIA GPU: why is it not used?"""
        self._start(setup_work.gpuFindings)

    def forget(self) -> None:
        """What was found holds no more."""
        self._background.drop()
        self._found, self._isWhole = (), False

    def shown(self, withPutAside: bool) -> tuple[Finding, ...]:
        """All that is to be said, the state of the environment first. Nothing where the user names
        another worker: that is not ours to mend."""
        if self._settings.command:
            return ()
        lacking = missing()
        environment = default_environment()
        state = setup_work.ofEnvironment(environment, bool(lacking))
        isSaid = bool(lacking) and environment.marker is None
        found = [
            one
            for one in (*state, *self._found)
            if not (isSaid and one.code in _SAID_BY_THE_PAGE and one.blocks)
        ]
        aside = self._settings.putAside
        return tuple(one for one in found if withPutAside or one.blocks or one.code not in aside)

    def poll(self) -> None:
        """Take in what was found."""
        self._background.poll()

    def close(self) -> None:
        """The end; nobody waits for the answer."""
        self._background.drop()

    def _start(self, look: Callable[..., Any]) -> bool:
        """Whether there is anything to look at."""
        environment = default_environment()
        if self._settings.command or environment.state in ("incomplete", "outdated"):
            return False
        place = None if environment.marker is None else environment
        marker = environment.marker
        extras = () if marker is None else marker.extras
        hasExtension = installation.hasPyTorchExtension()
        self._background.start(lambda _progress: look(place, extras, hasExtension), self._onFound)
        return True

    def _onFound(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            logging.warning("DiffusionSeg could not look at its Python: %s", outcome.error)
        self._found = outcome.value or ()
        self.changed.emit()
