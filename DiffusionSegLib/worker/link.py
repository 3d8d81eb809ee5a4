"""One life of a worker: what the client hands over, and the events that come back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Protocol

from DiffusionSegLib.errors import DiffusionSegError, WorkerError
from DiffusionSegLib.worker.answer_packing import unpack_answer
from DiffusionSegLib.worker.failures import explained
from DiffusionSegLib.worker.frames import Frame

__all__ = ["Arrived", "Ended", "Event", "Link", "News", "Sending", "Unsent", "arrived"]


class Link(Protocol):
    """Nothing here blocks. Events of a link carry it, so that those of an old one are known."""

    def send(self, number: int, make: Callable[[], Frame], told: bool = False) -> None:
        """Make the frame and send it, on another thread; told: with Sending events."""

    def close(self) -> None:
        """End it politely, soon by force."""

    def kill(self, reason: str) -> None:
        """End it at once; the Ended event gives the reason."""

    @property
    def log(self) -> str:
        """The end of what it wrote on stderr."""


@dataclass(frozen=True)
class Arrived:
    """A frame came; value or error: what an answer holds, made on the thread that received it."""

    link: Link
    frame: Frame
    value: Any = None
    error: DiffusionSegError | None = None


def arrived(link: Link, frame: Frame) -> Arrived:
    """Unpacks answers: for large ones that takes too long for a panel's thread."""
    if frame.header["kind"] != "answer":
        return Arrived(link, frame)
    try:
        return Arrived(link, frame, unpack_answer(frame))
    except Exception as error:  # noqa: BLE001  a thread's boundary: the ticket is told
        return Arrived(link, frame, None, explained(error))


@dataclass(frozen=True)
class Sending:
    """A share in [0, 1] of a large request is on its way."""

    link: Link
    number: int
    fraction: float


@dataclass(frozen=True)
class Unsent:
    """A request could not be made."""

    link: Link
    number: int
    error: DiffusionSegError


@dataclass(frozen=True)
class Ended:
    """Nothing more comes."""

    link: Link
    error: WorkerError


Event = Arrived | Sending | Unsent | Ended
News = SimpleQueue[Event]
