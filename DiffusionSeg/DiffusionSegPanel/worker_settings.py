"""What belongs to this machine, not to the study: the worker's command, the device, the history."""

from __future__ import annotations

import json
from typing import Any

import slicer

from DiffusionSegLib.worker.client import WorkerClient
from DiffusionSegLib.worker.command import default_command, foreign_environment, parse_command

__all__ = ["WorkerSettings", "createClient"]

_COMMAND, _DEVICE, _HISTORY = (
    "DiffusionSeg/WorkerCommand",
    "DiffusionSeg/Device",
    "DiffusionSeg/TextHistory",
)
_KEPT_TEXTS = 30


class WorkerSettings:
    """Kept in Slicer's user settings. command: "" means this Slicer's own Python."""

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

    def history(self) -> list[str]:
        """Texts used before, the latest first."""
        try:
            texts = json.loads(str(self._settings.value(_HISTORY, "[]") or "[]"))
        except ValueError:
            return []
        return [str(text) for text in texts] if isinstance(texts, list) else []

    def remember(self, text: str) -> None:
        """Put a text first in the history."""
        text = " ".join(text.split())
        if text:
            others = [known for known in self.history() if known != text]
            self._settings.setValue(_HISTORY, json.dumps([text, *others][:_KEPT_TEXTS]))


def createClient(commandText: str) -> Any:
    """A client for a typed command; nothing starts yet. Raises InputError for an unusable one."""
    command = parse_command(commandText) if commandText.strip() else default_command()
    return WorkerClient(command, foreign_environment(command))
