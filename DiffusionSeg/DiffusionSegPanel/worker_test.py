"""Trying a worker command before it is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slicer.i18n import tr as _

from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegPanel.plain_signal import Signal

__all__ = ["WorkerTest"]


class WorkerTest:
    """Starts a worker of its own, asks who it is, and ends it. Signal: done (sentence).

    ``whyNot`` may be set: why none may be started now, "" when it may.
    """

    def __init__(self, createClient: Callable[[str], Any]) -> None:
        self.done = Signal()
        self.whyNot: Callable[[], str] = str
        self._createClient = createClient
        self._client: Any = None

    @property
    def isRunning(self) -> bool:
        """Whether an answer is awaited."""
        return self._client is not None

    def start(self, commandText: str) -> None:
        """Try a command; an older try is dropped."""
        self.close()
        whyNot = self.whyNot()
        if whyNot:
            self.done.emit(whyNot)
            return
        try:
            self._client = self._createClient(commandText)
        except DiffusionSegError as error:
            self.done.emit(str(error))
            return
        self._client.hello().when_done(self._onHello)

    def stop(self, sentence: str) -> None:
        """End a try that is under way, and say why."""
        if self.isRunning:
            self.close()
            self.done.emit(sentence)

    def poll(self) -> None:
        """Take in the answer."""
        if self._client is not None:
            self._client.poll()

    def close(self) -> None:
        """End the worker that was tried; nothing is said."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _onHello(self, ticket: Any) -> None:
        if not self.isRunning:
            return
        self.close()
        self.done.emit(_inWords(ticket))


def _inWords(ticket: Any) -> str:
    if ticket.state != "done":
        return str(ticket.error or _("The worker did not answer."))
    hello = ticket.value
    if hello.problem:
        return str(hello.problem)
    usable = ", ".join(device.title for device in hello.devices if device.usable)
    return _("Works: Python {python}, torch {torch}; devices: {devices}.").format(
        python=hello.versions.get("python", "?"), torch=hello.torch, devices=usable
    )
