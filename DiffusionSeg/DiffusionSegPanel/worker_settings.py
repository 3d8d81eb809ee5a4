"""What belongs to this machine, not to the study: the worker's command, the device, the history,
how it was set up."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import slicer

from DiffusionSegLib.environments.isolated import IsolatedEnvironment, default_environment
from DiffusionSegLib.worker.client import WorkerClient
from DiffusionSegLib.worker.command import default_command, foreign_environment, parse_command

__all__ = ["WorkerSettings", "createClient", "environmentInUse", "workerCommand"]

_GROUP = "DiffusionSeg"
_COMMAND, _DEVICE, _HISTORY = (
    "DiffusionSeg/WorkerCommand",
    "DiffusionSeg/Device",
    "DiffusionSeg/TextHistory",
)
_PLACE, _EXTRAS, _WHEELS, _ASIDE = (
    "DiffusionSeg/SetupPlace",
    "DiffusionSeg/SetupExtras",
    "DiffusionSeg/SetupWheels",
    "DiffusionSeg/SetupPutAside",
)
_KEPT_TEXTS = 30
_ISOLATED, _SLICER = "environment", "slicer"


class WorkerSettings:
    """Kept in Slicer's user settings. command: "" means the environment of its own when that is
    ready, else this Slicer's own Python."""

    def __init__(self, settings: Any = None) -> None:
        self._settings = settings or slicer.app.userSettings()

    @property
    def command(self) -> str:
        """The command line as the user typed it."""
        return str(self._settings.value(_COMMAND, "") or "")

    @command.setter
    def command(self, text: str) -> None:
        self._settings.setValue(_COMMAND, text.strip())

    @property
    def device(self) -> str:
        """A device's name, or "auto"."""
        return str(self._settings.value(_DEVICE, "auto") or "auto")

    @device.setter
    def device(self, name: str) -> None:
        self._settings.setValue(_DEVICE, name)

    @property
    def isIsolated(self) -> bool:
        """Whether to install into an environment of its own, or into Slicer's Python."""
        return self._settings.value(_PLACE, _ISOLATED) != _SLICER

    @isIsolated.setter
    def isIsolated(self, isIsolated: bool) -> None:
        self._settings.setValue(_PLACE, _ISOLATED if isIsolated else _SLICER)

    @property
    def extras(self) -> list[str] | None:
        """Those that the user ticked; None before he decided."""
        return self._texts(_EXTRAS) if self._settings.contains(_EXTRAS) else None

    @extras.setter
    def extras(self, extras: Collection[str]) -> None:
        self._settings.setValue(_EXTRAS, json.dumps(sorted(extras)))

    @property
    def wheels(self) -> str:
        """The folder or bundle to install from; "" for the network."""
        return str(self._settings.value(_WHEELS, "") or "")

    @wheels.setter
    def wheels(self, path: str) -> None:
        self._settings.setValue(_WHEELS, path)

    @property
    def putAside(self) -> frozenset[str]:
        """Codes of findings that are not to be said again."""
        return frozenset(self._texts(_ASIDE))

    @putAside.setter
    def putAside(self, codes: Collection[str]) -> None:
        self._settings.setValue(_ASIDE, json.dumps(sorted(codes)))

    def clear(self) -> None:
        """Forget everything that this extension keeps in Slicer's settings."""
        self._settings.remove(_GROUP)

    def history(self) -> list[str]:
        """Texts used before, the latest first."""
        return self._texts(_HISTORY)

    def remember(self, text: str) -> None:
        """Put a text first in the history."""
        text = " ".join(text.split())
        if text:
            others = [known for known in self.history() if known != text]
            self._settings.setValue(_HISTORY, json.dumps([text, *others][:_KEPT_TEXTS]))

    def _texts(self, key: str) -> list[str]:
        try:
            texts = json.loads(str(self._settings.value(key, "[]") or "[]"))
        except ValueError:
            return []
        return [str(text) for text in texts] if isinstance(texts, list) else []


def environmentInUse() -> IsolatedEnvironment | None:
    """The environment that an empty command means; None while it means Slicer's own Python."""
    environment = default_environment()
    return environment if environment.state == "ready" else None


def workerCommand(commandText: str) -> tuple[str, ...]:
    """The words that start the worker of a typed command, "" for the one that is chosen by itself.
    Raises InputError for an unusable one."""
    if commandText.strip():
        return parse_command(commandText)
    own = environmentInUse()
    return default_command() if own is None else own.command()


def createClient(commandText: str) -> Any:
    """A client for a typed command; nothing starts yet. Raises InputError for an unusable one."""
    command = workerCommand(commandText)
    return WorkerClient(command, foreign_environment(command))
