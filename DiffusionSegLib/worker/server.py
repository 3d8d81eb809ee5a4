"""Takes requests in on one thread, works on them on another, answers by request."""

from __future__ import annotations

import logging
import platform
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict
from os import getpid
from typing import Any

import DiffusionSegLib
from DiffusionSegLib.errors import DiffusionSegError, InputError
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.worker.answer_packing import pack_answer
from DiffusionSegLib.worker.catalogue import catalogue
from DiffusionSegLib.worker.engine import Engine
from DiffusionSegLib.worker.failures import explained, pack_failure
from DiffusionSegLib.worker.frames import Frame
from DiffusionSegLib.worker.job import Job
from DiffusionSegLib.worker.packing import readable, unpack_image
from DiffusionSegLib.worker.protocol import PROTOCOL
from DiffusionSegLib.worker.superseding import supersedes

__all__ = ["Server"]

_LOG = logging.getLogger(__name__)
_JOBS = frozenset({"hello", "prepare", "estimate", "propose", "refine"})
_WITH_IMAGE = _JOBS - {"hello"}


class Server:
    """`receive` on the reading thread never computes; `work` runs jobs until `close`.

    send: writes a frame; called from both threads.
    """

    def __init__(self, send: Callable[[Frame], None], engine: Engine | None = None) -> None:
        self._send = send
        self._engine = engine or Engine()
        self._images: dict[str, Image | DiffusionSegError] = {}
        self._waiting: deque[Job] = deque()
        self._running: Job | None = None
        self._closed = False
        self._changed = threading.Condition()

    def greet(self) -> None:
        """The first frame: who is there."""
        header = {
            "kind": "greeting",
            "protocol": PROTOCOL,
            "version": DiffusionSegLib.__version__,
            "python": platform.python_version(),
            "executable": sys.executable,
            "pid": getpid(),
        }
        self._send(Frame(header))

    def receive(self, frame: Frame) -> bool:
        """Take a request in; False when it was the last one."""
        header = frame.header
        kind, number = header["kind"], header.get("id")
        if kind == "shutdown":
            return False
        if not isinstance(number, int):
            _LOG.warning("A request of kind %r has no number.", kind)
            return True
        try:
            self._route(kind, number, frame)
        except Exception as error:  # noqa: BLE001  the process boundary: an answer for each request
            self._fail(number, error)
        return True

    def close(self) -> None:
        """Cancel everything; `work` returns when the running job notices."""
        with self._changed:
            self._closed = True
            for job in (*self._waiting, self._running):
                if job is not None:
                    job.cancelled.set()
            self._waiting.clear()
            self._changed.notify_all()

    def work(self) -> None:
        """Do one job after the other."""
        while (job := self._next()) is not None:
            self._do(job)

    def _route(self, kind: str, number: int, frame: Frame) -> None:
        if kind in _JOBS:
            self._enqueue(number, frame)
        elif kind == "set_image":
            self._set_image(frame)
            self._answer(number, None)
        elif kind == "forget_image":
            self._images.pop(str(frame.header["key"]), None)
            self._answer(number, None)
        elif kind == "cancel":
            self._cancel(int(frame.header["of"]))
        elif kind == "stop_here":
            self._with_running(frame, lambda job: job.enough.set())
        elif kind == "preview":
            if not self._with_running(frame, lambda job: job.ask_preview(number)):
                self._answer(number, None)
        elif kind == "describe":
            self._answer(number, catalogue())
        elif kind == "memory":
            self._answer(number, self._engine.memory())
        else:
            raise InputError(f"This worker knows no request of kind {kind!r}; update DiffusionSeg.")

    def _set_image(self, frame: Frame) -> None:
        with readable("image"):
            key = str(frame.header["key"])
            # Whoever asks for this image later is told the same.
            self._images[key] = frame.problem or InputError(f"The image {key!r} cannot be used.")
            if frame.problem is not None:
                raise frame.problem
            self._images[key] = unpack_image(frame.header["image"], frame.arrays)

    def _enqueue(self, number: int, frame: Frame) -> None:
        if frame.problem is not None:
            raise frame.problem
        job = Job(
            number,
            frame.header,
            frame.arrays,
            self._image(frame.header) if frame.header["kind"] in _WITH_IMAGE else None,
            tell=lambda progress: self._send(
                Frame({"kind": "progress", "id": number, **asdict(progress)})
            ),
            show=self._answer,
        )
        with self._changed, readable("request"):
            for older in self._all_jobs():
                if supersedes(job.header, older.header):
                    self._end(older)
            self._waiting.append(job)
            self._changed.notify_all()

    def _image(self, header: Mapping[str, Any]) -> Image:
        with readable("request"):
            key = str(header["key"])
        found = self._images.get(key)
        if found is None:
            raise InputError(f"The worker has no image {key!r}; set the image first.")
        if isinstance(found, DiffusionSegError):
            raise found
        return found

    def _all_jobs(self) -> list[Job]:
        return [*self._waiting, *([self._running] if self._running else [])]

    def _cancel(self, number: int) -> None:
        with self._changed:
            jobs = [job for job in self._all_jobs() if job.id == number]
            for job in jobs:
                self._end(job)
        if not jobs:
            self._send(Frame({"kind": "ended", "id": number}))

    def _end(self, job: Job) -> None:
        """Acknowledge at once, whenever the job notices. The lock is held."""
        if job.cancelled.is_set():
            return
        job.cancelled.set()
        self._send(Frame({"kind": "cancelled", "id": job.id}))
        if job is not self._running:
            self._waiting.remove(job)
            job.finish()
            self._send(Frame({"kind": "ended", "id": job.id}))

    def _with_running(self, frame: Frame, act: Callable[[Job], None]) -> bool:
        with self._changed:
            jobs = [job for job in self._all_jobs() if job.id == frame.header["of"]]
        for job in jobs:
            act(job)
        return bool(jobs)

    def _next(self) -> Job | None:
        with self._changed:
            while not self._waiting and not self._closed:
                self._changed.wait()
            if self._closed:
                return None
            self._running = self._waiting.popleft()
            return self._running

    def _do(self, job: Job) -> None:
        answer: object = None
        failure: BaseException | None = None
        try:
            answer = self._engine.perform(job)
        except (Exception, SystemExit) as error:  # noqa: BLE001  the process boundary
            failure = error
        job.finish()
        with self._changed:
            # From here on a cancellation comes too late: the job has its answer.
            self._running = None
            cancelled = job.cancelled.is_set()
        if cancelled:
            self._send(Frame({"kind": "ended", "id": job.id}))
        elif failure is not None:
            self._fail(job.id, failure)
        else:
            self._answer(job.id, answer)

    def _answer(self, number: int, answer: object) -> None:
        self._send(pack_answer(number, answer))

    def _fail(self, number: int, error: BaseException) -> None:
        told = explained(error)
        if told is not error:
            _LOG.error("Request %d failed.", number, exc_info=error)
        self._send(Frame(pack_failure(number, told)))
