"""A worker in a thread of this process: the same messages, handed over without pipes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

from DiffusionSegLib.errors import WorkerError
from DiffusionSegLib.worker.failures import explained
from DiffusionSegLib.worker.frames import Frame
from DiffusionSegLib.worker.link import Ended, News, Unsent, arrived
from DiffusionSegLib.worker.server import Server

__all__ = ["ThreadLink"]

_POLITE_S = 1.0


class ThreadLink:
    """Implements Link; a job that does not notice its cancellation goes on until it ends."""

    log = ""

    def __init__(self, news: News) -> None:
        self._news = news
        self._requests: SimpleQueue[tuple[int, Callable[[], Frame]] | None] = SimpleQueue()
        self._over = threading.Event()
        self._server = Server(lambda frame: news.put(arrived(self, frame)))
        threading.Thread(target=self._receive, name="worker: receive", daemon=True).start()
        threading.Thread(target=self._work, name="worker: work", daemon=True).start()

    def send(self, number: int, make: Callable[[], Frame], told: bool = False) -> None:
        """Queue a request."""
        self._requests.put((number, make))

    def close(self) -> None:
        """Cancel what runs and wait for it a moment."""
        self._requests.put(None)
        self._server.close()
        self._over.wait(_POLITE_S)

    def kill(self, reason: str) -> None:
        """As much as can be done to a thread."""
        self._requests.put(None)
        self._server.close()
        self._news.put(Ended(self, WorkerError(f"The worker was stopped: {reason}.")))

    def _receive(self) -> None:
        self._server.greet()
        while (item := self._requests.get()) is not None:
            number, make = item
            try:
                self._server.receive(make())
            except Exception as error:  # noqa: BLE001  a thread's boundary: the ticket is told
                self._news.put(Unsent(self, number, explained(error)))

    def _work(self) -> None:
        self._server.work()
        self._over.set()
