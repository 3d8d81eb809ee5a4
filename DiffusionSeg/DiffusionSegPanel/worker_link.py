"""The worker's life beside the page: started, asked what it offers, replaced, closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegPanel.plain_signal import Signal

__all__ = ["WorkerLink"]


class WorkerLink:
    """Holds the client, and what the worker said of its methods and of itself.

    createClient: makes a client from a command line ("" for the default). Signals: changed, when
    `catalogue` or `hello` arrived; replaced (client), when another one has to be used; failed
    (DiffusionSegError), when the worker does not answer. Whoever uses the client polls it.

    What the worker offers is asked at once. What it computes with is asked when somebody needs to
    know (`needHello`), since the worker imports torch for the answer.
    """

    def __init__(self, createClient: Callable[[str], Any]) -> None:
        self.changed, self.replaced, self.failed = Signal(), Signal(), Signal()
        self._createClient = createClient
        self.client: Any = None
        self.catalogue: Any = None
        self.hello: Any = None
        self._isHelloNeeded = self._isHelloAsked = False

    def connect(self, commandText: str) -> None:
        """Start over with a command; the old worker ends."""
        self.close()
        try:
            self.client = self._createClient(commandText)
        except DiffusionSegError as error:
            self.failed.emit(error)
            return
        self.replaced.emit(self.client)
        client = self.client
        client.describe().when_done(lambda ticket: self._onDescribed(client, ticket))

    def needHello(self) -> None:
        """Ask the worker what it computes with, as soon as it is there; once is enough."""
        self._isHelloNeeded = True
        if self.catalogue is not None and not self._isHelloAsked:
            self._isHelloAsked = True
            client = self.client
            client.hello().when_done(lambda answer: self._onHello(client, answer))

    def close(self) -> None:
        """End the worker; may be called again."""
        client, self.client = self.client, None
        self.catalogue = self.hello = None
        self._isHelloAsked = False
        if client is not None:
            client.close()

    def _onDescribed(self, client: Any, ticket: Any) -> None:
        if client is not self.client:
            return
        if ticket.state != "done":
            self._fail(ticket)
            return
        self.catalogue = ticket.value
        self.changed.emit()
        if self._isHelloNeeded:
            self.needHello()

    def _onHello(self, client: Any, ticket: Any) -> None:
        if client is not self.client:
            return
        if ticket.state != "done":
            self._fail(ticket)
            return
        self.hello = ticket.value
        self.changed.emit()

    def _fail(self, ticket: Any) -> None:
        if ticket.error is not None:
            self.failed.emit(ticket.error)
