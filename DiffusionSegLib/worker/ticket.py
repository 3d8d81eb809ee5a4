"""A request that was handed in, and later its answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Literal, Protocol, TypeVar

from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegLib.worker.answers import WorkerProgress

__all__ = ["Ticket", "TicketState"]

T = TypeVar("T")
TicketState = Literal["waiting", "done", "failed", "cancelled", "superseded"]


class TicketOwner(Protocol):
    """The client that a ticket was drawn from."""

    def cancel(self, ticket: Ticket[Any]) -> None:
        """See WorkerClient."""

    def wait_for(self, ticket: Ticket[Any], timeout_s: float | None) -> None:
        """Poll until the ticket is finished; raises WorkerError when the time is over."""

    def call_later(self, callback: Callable[[], None]) -> None:
        """Call back in the next poll."""


class Ticket(Generic[T]):
    """One request. Callbacks are called in `client.poll()` and `result()` and nowhere else.

    `state` is "waiting" until it is "done" (then `value` is the answer), "failed" (`error` says
    why), "cancelled" or "superseded" (a newer request took its place).
    """

    def __init__(self, owner: TicketOwner, number: int, kind: str) -> None:
        self._owner = owner
        self.id, self.kind = number, kind
        self.state: TicketState = "waiting"
        self.value: T | None = None
        self.error: DiffusionSegError | None = None
        self.progress: WorkerProgress | None = None
        self._done: list[Callable[[Ticket[T]], None]] = []
        self._heard: list[Callable[[WorkerProgress], None]] = []

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will come."""
        return self.state != "waiting"

    def when_done(self, callback: Callable[[Ticket[T]], None]) -> Ticket[T]:
        """Call back once, in a poll after the ticket is finished in whatever way."""
        if self.is_finished:
            self._owner.call_later(lambda: callback(self))
        else:
            self._done.append(callback)
        return self

    def when_progress(self, callback: Callable[[WorkerProgress], None]) -> Ticket[T]:
        """Call back for every report of progress from now on."""
        self._heard.append(callback)
        return self

    def result(self, timeout_s: float | None = None) -> T:
        """Wait for the answer, polling; raises the ticket's error (Cancelled for a cancelled one),
        WorkerError when the time is over. For scripts and tests: a panel polls instead."""
        self._owner.wait_for(self, timeout_s)
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]

    def cancel(self) -> None:
        """Stop it; see `WorkerClient.cancel`."""
        self._owner.cancel(self)

    def finish(
        self, state: TicketState, value: T | None = None, error: DiffusionSegError | None = None
    ) -> None:
        """For the client: settle it, once; the callbacks follow in a poll."""
        if self.is_finished:
            return
        self.state, self.value, self.error = state, value, error
        for callback in self._done:
            self._owner.call_later(lambda callback=callback: callback(self))  # type: ignore[misc]
        self._done.clear()

    def report(self, progress: WorkerProgress) -> None:
        """For the client: how far it is."""
        self.progress = progress
        for callback in self._heard:
            self._owner.call_later(lambda callback=callback: self._tell(callback, progress))  # type: ignore[misc]

    def _tell(self, callback: Callable[[WorkerProgress], None], progress: WorkerProgress) -> None:
        # Cancelled meanwhile: whoever stopped it does not want to hear more.
        if self.state in ("waiting", "done"):
            callback(progress)
