"""Looks after the hub's own library while it fetches: counts, and ends what is too slow."""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any, TypeVar

from DiffusionSegLib.backbones.fetching.pace import LowestPace, Pace
from DiffusionSegLib.backbones.fetching.space import disk_error, is_of_the_disk
from DiffusionSegLib.backbones.fetching.transfer import SourceFailure
from DiffusionSegLib.errors import Cancelled, DiffusionSegError

__all__ = ["HubWatch"]

_LOOK_S = 0.1
T = TypeVar("T")


class HubWatch:
    """One call of the hub's library, made in a thread of its own so that it can be left.

    The library writes blocks of 10 MB and only then tells of them, so a drip is noticed where its
    HTTP client reads: an answer that stays below the lowest pace times out there, and the library
    goes on from its last block a few times. An answer that does not begin within the window is
    left, and storage that is read without that client ("xet") is judged by what its bar is told.
    """

    def __init__(self, hub: Any, lowest: LowestPace) -> None:
        self._hub, self._lowest, self._pace = hub, lowest, Pace(lowest)
        self._left, self._lock = threading.Event(), threading.Lock()
        self._hooking, self._done = threading.RLock(), False
        self._thread, self._count, self._told, self._read = 0, 0, 0, 0
        self._asked_s: float | None = None  # since when an answer is waited for

    def run(self, action: Callable[[], T], report: Callable[[int], None]) -> T:
        """What the action returns; report is told how many bytes came since, ten times a second,
        and may raise Cancelled. Raises SourceFailure, OutputError."""
        self._attach()
        told: Future[T] = Future()
        # It ends with the program, whatever it waits for.
        threading.Thread(target=self._do, args=(action, told), name="hub", daemon=True).start()
        try:
            looked = time.monotonic()
            while not wait([told], _LOOK_S).done:
                self._attach()
                now = time.monotonic()
                self._judge(now - looked, report)
                looked = now
            self._judge(0.0, report)
            return told.result()
        finally:
            self._left.set()
            self._hang_up()

    def bar(self) -> type:
        """For the library's "tqdm_class": shows nothing, and stops what nobody waits for."""
        return _bar(self._hub, self)

    def came(self, count: int) -> None:
        """Bytes that the library has written. Raises Cancelled when nobody waits any more."""
        with self._lock:
            self._count += count
            self._told += count
        self._stop_if_left()

    def _stop_if_left(self) -> None:
        if self._left.is_set():
            raise Cancelled()

    def _do(self, action: Callable[[], T], told: Future[T]) -> None:
        self._thread = threading.get_ident()
        try:
            result = _explained(action)
        except (DiffusionSegError, SourceFailure) as error:
            self._detach()
            told.set_exception(error)
        else:
            self._detach()
            told.set_result(result)

    def _judge(self, waited_s: float, report: Callable[[int], None]) -> None:
        with self._lock:
            count, self._count = self._count, 0
        report(count)
        asked_s = self._asked_s
        if asked_s is not None and time.monotonic() - asked_s > self._lowest.window_s:
            raise SourceFailure("its answer does not begin")
        if self._told > self._read and self._pace.is_too_slow(count, waited_s):  # not by the client
            raise SourceFailure(self._lowest.words)

    def _attach(self) -> None:
        """The client is made anew after some errors."""
        with self._hooking:
            for hooks, own in () if self._done else self._hooks():
                if own not in hooks:
                    hooks.append(own)

    def _detach(self) -> None:
        with self._hooking:
            self._done = True
            for hooks, own in self._hooks():
                if own in hooks:
                    hooks.remove(own)

    def _hang_up(self) -> None:
        """On what nobody waits for: else the library would try again by itself, and hold its lock
        on the file for as long as the server drips."""
        with self._hooking:
            close = getattr(self._hub, "close_session", None)
            if close is not None and not self._done:
                close()
                self._attach()

    def _hooks(self) -> list[tuple[list[Any], Any]]:
        """What the client calls with each question and each answer, and what is to be among it;
        versions before 1.0 have another client."""
        events = getattr(self._hub.get_session(), "event_hooks", None)
        if events is None:
            return []
        return [(events["request"], self._ask), (events["response"], self._watch)]

    def _ask(self, question: Any) -> None:
        if threading.get_ident() == self._thread:
            self._asked_s = time.monotonic()
            self._stop_if_left()

    def _watch(self, answer: Any) -> None:
        if threading.get_ident() == self._thread:
            self._asked_s = None
            library = importlib.import_module(type(answer).__module__.partition(".")[0])
            answer.stream = _watched(library, answer.stream, self)

    def blocks(self, library: Any, stream: Any) -> Iterator[bytes]:
        """What an answer brings; raises the client's own timeout when that is too little."""
        pace, asked = Pace(self._lowest), time.monotonic()
        for block in stream:
            self._read += len(block)
            self._stop_if_left()
            if pace.is_too_slow(len(block), time.monotonic() - asked):
                raise library.ReadTimeout(self._lowest.words)
            yield block
            asked = time.monotonic()


def _bar(hub: Any, watch: HubWatch) -> type:
    class Bar(hub.utils.tqdm):  # type: ignore[misc]
        """Counts."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **{**options, "disable": True})

        def update(self, n: float | None = 1) -> bool | None:
            watch.came(int(n or 0))
            return None

    return Bar


def _watched(library: Any, stream: Any, watch: HubWatch) -> Any:
    """The stream as the client knows streams."""

    class Stream(library.SyncByteStream):  # type: ignore[misc]
        """Reads through the watch."""

        def __iter__(self) -> Iterator[bytes]:
            return watch.blocks(library, stream)

        def close(self) -> None:
            stream.close()

    return Stream()


def _explained(action: Callable[[], T]) -> T:
    """Failures of the library are failures of the source, but for those of the disk."""
    try:
        return action()
    except (DiffusionSegError, SourceFailure):
        raise
    except Exception as error:  # each version of the library has its own
        if isinstance(error, OSError) and is_of_the_disk(error):
            name = Path(str(error.filename or "The model's file"))
            raise disk_error(name, error, "files that came whole are kept") from error
        lines = str(error).strip().splitlines() or [""]
        raise SourceFailure(f"{type(error).__name__}: {lines[0]}") from error
