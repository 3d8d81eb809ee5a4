"""A worker that answers what a test says, and when; the client is real."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from DiffusionSegLib.errors import DiffusionSegError, WorkerError
from DiffusionSegLib.worker.answers import DeviceReport, Hello
from DiffusionSegLib.worker.client import WorkerClient
from DiffusionSegLib.worker.failures import pack_failure
from DiffusionSegLib.worker.frames import Frame
from DiffusionSegLib.worker.link import Arrived, Ended, News, Unsent
from DiffusionSegLib.worker.protocol import PROTOCOL

__all__ = ["DEVICES", "ScriptedClient", "ScriptedLink", "hello"]

DEVICES = (DeviceReport("cpu", "Processor", True), DeviceReport("cuda:0", "GPU", True))


def hello(devices: tuple[DeviceReport, ...] = DEVICES, problem: str | None = None) -> Hello:
    """What a worker says of itself."""
    return Hello(PROTOCOL, {"python": "3.12"}, "python", devices, 1, "2.13", problem)


class ScriptedLink:
    """Implements Link. sent: headers of all that it was sent."""

    log = ""

    def __init__(self, news: News) -> None:
        self._news = news
        self.sent: list[dict[str, Any]] = []
        self._put({"kind": "greeting", "protocol": PROTOCOL})

    def send(self, number: int, make: Callable[[], Frame], told: bool = False) -> None:
        self.sent.append(dict(make().header))

    def close(self) -> None:
        """Nothing runs."""

    def kill(self, reason: str) -> None:
        self.end(f"The worker was stopped: {reason}.")

    def end(self, sentence: str) -> None:
        """It is gone."""
        self._news.put(Ended(self, WorkerError(sentence)))

    def answer(self, number: int, value: object = None) -> None:
        self._news.put(Arrived(self, Frame({"kind": "answer", "id": number}), value))

    def fail(self, number: int, error: DiffusionSegError) -> None:
        self._put(pack_failure(number, error))

    def tell(self, kind: str, number: int, **more: Any) -> None:
        """A frame of another kind about that request."""
        self._put({"kind": kind, "id": number, **more})

    def not_sent(self, number: int, error: DiffusionSegError) -> None:
        self._news.put(Unsent(self, number, error))

    def _put(self, header: dict[str, Any]) -> None:
        self._news.put(Arrived(self, Frame(header)))


class ScriptedClient(WorkerClient):
    """links: of its workers, the last one lives."""

    def __init__(self, **options: Any) -> None:
        super().__init__(("scripted",), {}, **options)
        self.links: list[ScriptedLink] = []
        self.is_closed = False

    @property
    def worker(self) -> ScriptedLink:
        """The one that lives."""
        return self.links[-1]

    def asked(self, kind: str) -> list[int]:
        """Numbers of the requests of that kind that its workers were sent."""
        return [one["id"] for link in self.links for one in link.sent if one["kind"] == kind]

    def answer(self, kind: str, value: object = None) -> None:
        """The latest of that kind; it is heard of in a poll."""
        self.worker.answer(self.asked(kind)[-1], value)

    def fail(self, kind: str, error: DiffusionSegError) -> None:
        """The same, with a failure."""
        self.worker.fail(self.asked(kind)[-1], error)

    def close(self) -> None:
        super().close()
        self.is_closed = True

    def _connect(self) -> ScriptedLink:
        self.links.append(ScriptedLink(self._news))
        return self.worker
