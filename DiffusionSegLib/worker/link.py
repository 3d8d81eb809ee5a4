"""One life of a worker: what the client hands over, and the events that come back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Protocol

from DiffusionSegLib.errors import DiffusionSegError, WorkerError
from DiffusionSegLib.worker.frames import Frame

__all__ = ["Arrived", "Ended", "Event", "Link", "News", "Sending", "Unsent"]


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
    """A frame came."""

    link: Link
    frame: Frame


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
