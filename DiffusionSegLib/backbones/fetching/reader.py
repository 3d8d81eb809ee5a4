"""Reads one answer of a web server so that it can be left at any moment."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import Request, build_opener

from DiffusionSegLib.backbones.fetching.pace import LowestPace, Pace
from DiffusionSegLib.progress import Progress

__all__ = ["Answer", "NetworkFailure", "Refusal", "read_answer"]

Telling = Generator["Answer | bytes", None, None]
_BLOCK = 1 << 16
_WAITING_BLOCKS = 16  # as many are read ahead
_LOOK_S = 0.1  # how often it is asked whether the user had enough


class NetworkFailure(Exception):
    """No answer, or one that broke off."""


class Refusal(Exception):
    """The server answered with an error: its number, and the seconds it asks to wait, if any."""

    def __init__(self, status: int, wait_s: float | None) -> None:
        super().__init__(f"the server answered {status}")
        self.status = status
        self.wait_s = wait_s


@dataclass(frozen=True)
class Answer:
    """What came before the content. status: 200, 206; start: of a range, else 0; total: bytes of
    the whole file as announced, None where nothing is said."""

    status: int
    start: int
    total: int | None


def read_answer(
    request: Request, stall_s: float, progress: Progress, lowest: LowestPace
) -> Telling:
    """First the Answer, then its content in blocks; all that comes until the server ends it.

    Proxies are those of the environment (HTTPS_PROXY, NO_PROXY, ...). A server that says nothing
    for stall_s seconds, or too little for longer, has failed. Raises NetworkFailure, Refusal, and
    Cancelled within a fraction of a second whatever the server does.
    """
    reader, pace = _Reader(request, stall_s), Pace(lowest)
    reader.start()
    try:
        while True:
            told = _next(reader, pace, lowest)
            if told == b"":
                progress.check()
                continue
            if told is None:
                return
            if isinstance(told, Exception):
                raise told
            yield told
    finally:
        reader.left.set()


def _next(reader: _Reader, pace: Pace, lowest: LowestPace) -> Answer | bytes | Exception | None:
    """What the reader told within a moment; no bytes when that is nothing."""
    begun = time.monotonic()
    try:
        told = reader.told.get(timeout=_LOOK_S)
    except queue.Empty:
        told = b""
    count = len(told) if isinstance(told, bytes) else 0
    if pace.is_too_slow(count, time.monotonic() - begun):
        raise NetworkFailure(lowest.words)
    return told


class _Reader(threading.Thread):
    """Waits for the network in place of the caller; None ends what it tells."""

    def __init__(self, request: Request, stall_s: float) -> None:
        super().__init__(name="download", daemon=True)
        self.told: queue.Queue[Answer | bytes | Exception | None] = queue.Queue(_WAITING_BLOCKS)
        self.left = threading.Event()
        self._request = request
        self._stall_s = stall_s

    def run(self) -> None:
        """Until the answer ends or nobody listens any more."""
        end: Exception | None = NetworkFailure("the reading stopped")
        try:
            self._read()
            end = None
        except HTTPError as error:
            end = Refusal(error.code, _seconds(error.headers.get("Retry-After")))
            error.close()
        except (OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            end = NetworkFailure(str(reason) or type(error).__name__)
        finally:
            self._tell(end)

    def _read(self) -> None:
        with build_opener().open(self._request, timeout=self._stall_s) as reply:
            self._tell(_answer(reply.status, reply.headers))
            while not self.left.is_set():
                block = reply.read1(_BLOCK)
                if not block:
                    return
                self._tell(block)

    def _tell(self, word: Answer | bytes | Exception | None) -> None:
        while not self.left.is_set():
            try:
                self.told.put(word, timeout=_LOOK_S)
                return
            except queue.Full:
                continue


def _answer(status: int, headers: object) -> Answer:
    get = getattr(headers, "get", lambda name: None)
    length = _whole(get("Content-Length"))
    if status != 206:
        return Answer(status, 0, length)
    # "bytes 200-1000/1001", RFC 9110, 14.4; a total of "*" is not told.
    unit, _, rest = str(get("Content-Range") or "").partition(" ")
    span, _, total = rest.partition("/")
    start = _whole(span.partition("-")[0])
    if unit != "bytes" or start is None:
        raise NetworkFailure("the server does not say which part of the file it sends")
    return Answer(status, start, _whole(total))


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None


def _seconds(text: str | None) -> float | None:
    """Of Retry-After; a date in it is not waited for."""
    number = _whole(text)
    return None if number is None else float(number)
