"""The worker's life beside the page: started, asked what it offers, replaced, closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegPanel.plain_signal import Signal

__all__ = ["WorkerLink"]


class WorkerLink:
    """Holds the client, and what the worker said of its methods and of itself.

    createClient: makes a client from a command line ("" for the default). `error` is why the worker
    does not answer, None while it may. Signals: changed, when `catalogue` or `hello` arrived or the
    worker answers again; replaced (client), when another one has to be used, None for none; failed
    (DiffusionSegError), when the worker does not answer; rested, emitted by who uses the client
    beside the page, when a run of his has ended. Whoever uses the client polls it.

    What the worker offers is asked at once. What it computes with is asked when somebody needs to
    know (`needHello`), since the worker imports torch for the answer.
    """

    def __init__(self, createClient: Callable[[str], Any]) -> None:
        self.changed, self.replaced, self.failed = Signal(), Signal(), Signal()
        self.rested = Signal()
        self._createClient = createClient
        self.client: Any = None
        self.catalogue: Any = None
        self.hello: Any = None
        self.error: DiffusionSegError | None = None
        self._isHelloNeeded = self._isHelloAsked = False

    @property
    def isDown(self) -> bool:
        """Whether nothing will come of it any more, unless it is connected again."""
        return self.client is None or (self.catalogue is None and self.error is not None)

    @property
    def isOutlining(self) -> bool:
        """Whether an outline is waited for, whoever asked for it."""
        return self.client is not None and bool(self.client.is_outlining)

    def connect(self, commandText: str) -> None:
        """Start over with a command; the old worker ends."""
        self.close()
        try:
            client = self._createClient(commandText)
        except DiffusionSegError as error:
            self._fail(error)
            return
        self.client = client
        self.replaced.emit(client)
        client.describe().when_done(lambda ticket: self._onDescribed(client, ticket))

    def needHello(self) -> None:
        """Ask the worker what it computes with, as soon as it is there; once is enough."""
        self._isHelloNeeded = True
        if self.catalogue is not None and not self._isHelloAsked:
            self._isHelloAsked = True
            client = self.client
            client.hello().when_done(lambda answer: self._onHello(client, answer))

    def noteAnswer(self) -> None:
        """A run ended well: whatever failed before, there is a worker, and what it did not say of
        itself it is asked again."""
        if self.error is None or self.catalogue is None:
            return
        self.error, self._isHelloAsked = None, self.hello is not None
        self.changed.emit()
        if self._isHelloNeeded:
            self.needHello()

    def close(self) -> None:
        """End the worker; may be called again."""
        client, self.client = self.client, None
        self.catalogue = self.hello = self.error = None
        self._isHelloAsked = False
        if client is not None:
            self.replaced.emit(None)
            client.close()

    def _onDescribed(self, client: Any, ticket: Any) -> None:
        if client is not self.client:
            return
        if ticket.state != "done":
            self._fail(ticket.error)
            return
        self.catalogue, self.error = ticket.value, None
        self.changed.emit()
        if self._isHelloNeeded:
            self.needHello()

    def _onHello(self, client: Any, ticket: Any) -> None:
        if client is not self.client:
            return
        if ticket.state != "done":
            self._fail(ticket.error)
            return
        self.hello, self.error = ticket.value, None
        self.changed.emit()

    def _fail(self, error: DiffusionSegError | None) -> None:
        if error is not None:
            self.error = error
            self.failed.emit(error)
