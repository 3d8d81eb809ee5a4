"""Tickets out, events in: the part of the client that knows nothing of what is asked."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from DiffusionSegLib.errors import Cancelled, DiffusionSegError, InputError, WorkerError
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.worker.answers import WorkerProgress
from DiffusionSegLib.worker.failures import unpack_failure
from DiffusionSegLib.worker.frames import Frame
from DiffusionSegLib.worker.link import Arrived, Ended, Event, Link, News, Sending, Unsent
from DiffusionSegLib.worker.packing import pack_image
from DiffusionSegLib.worker.protocol import PROTOCOL
from DiffusionSegLib.worker.remembered_images import RememberedImages
from DiffusionSegLib.worker.requests import Pack, Request
from DiffusionSegLib.worker.superseding import OUTLINES, SUPERSEDED, supersedes
from DiffusionSegLib.worker.ticket import Ticket

__all__ = ["Dispatch"]

_LOG = logging.getLogger(__name__)
_LOOK_S = 0.05


class Dispatch:
    """Everything happens on the caller's thread; other threads only fill `_news`."""

    def __init__(self, start_timeout_s: float, patience_s: float) -> None:
        self.restarts = 0
        self._start_timeout_s, self._patience_s = start_timeout_s, patience_s
        self._news: News = SimpleQueue()
        self._images = RememberedImages()
        self._open: dict[int, Request] = {}
        self._cancelled_at_s: dict[int, float] = {}  # jobs that the worker still has to leave
        self._due: deque[Callable[[], None]] = deque()
        self._link: Link | None = None
        self._begun_at_s = 0.0
        self._greeted = self._was_started = self._closed = False
        self._old_log = ""
        self._number = 0

    @property
    def is_running(self) -> bool:
        """Whether there is a worker, as far as the last poll knows."""
        return self._link is not None

    @property
    def is_outlining(self) -> bool:
        """Whether a propose or refine is waited for, as far as the last poll knows."""
        return any(request.ticket.kind in OUTLINES for request in self._open.values())

    @property
    def last_log(self) -> str:
        """The end of what the worker, or the one before, wrote on stderr."""
        return self._old_log if self._link is None else self._link.log

    def poll(self) -> None:
        """Take in what has come and call back; never blocks, never raises. Every 30 ms will do."""
        self._take_in()
        self._watch()
        for _ in range(len(self._due)):
            if not self._due:  # a callback has polled
                break
            callback = self._due.popleft()
            try:
                callback()
            except Exception:  # noqa: BLE001  a boundary: one listener must not silence the others
                _LOG.exception("A callback of the worker's client failed.")

    def cancel(self, ticket: Ticket[Any]) -> None:
        """The ticket is "cancelled" at once; whatever still comes of it is dropped."""
        request = self._open.get(ticket.id)
        if request is None or request.ticket is not ticket:
            return
        self._settle(request, "cancelled", Cancelled())
        if request.is_job:
            self._leave_behind(ticket.id)

    def close(self) -> None:
        """End the worker and all its processes; tickets that still wait become cancelled."""
        self._closed = True
        link, self._link = self._link, None
        if link is not None:
            link.close()
            self._old_log = link.log
        for request in list(self._open.values()):
            self._settle(request, "cancelled", Cancelled("The worker was closed."))
        self._images = RememberedImages()

    def wait_for(self, ticket: Ticket[Any], timeout_s: float | None) -> None:
        """Poll until the ticket is finished; raises WorkerError when the time is over."""
        end_s = float("inf") if timeout_s is None else time.monotonic() + timeout_s
        self.poll()
        while not ticket.is_finished:
            left_s = end_s - time.monotonic()
            if left_s <= 0:
                raise WorkerError(f"The worker has not answered within {timeout_s:g} s.")
            with suppress(Empty):
                self._handle(self._news.get(timeout=min(left_s, _LOOK_S)))
            self.poll()

    def call_later(self, callback: Callable[[], None]) -> None:
        """Call back in the next poll."""
        self._due.append(callback)

    def _connect(self) -> Link:
        """A new worker; raises DiffusionSegError."""
        raise WorkerError("This client has no worker.")

    def _submit(self, header: Mapping[str, Any], pack: Pack | None = None) -> Ticket[Any]:
        """Send a request (again with its image, if the worker lacks it) and remember it."""
        request = Request(self._ticket(header["kind"]), header, pack)
        try:
            link = self._ready(request)
        except DiffusionSegError as error:
            request.ticket.finish("failed", error=error)
            return request.ticket
        self._open[request.ticket.id] = request
        if request.is_job and not self._greeted:
            self.call_later(lambda: self._starting(request))
        link.send(request.ticket.id, request.frame, told=header["kind"] == "set_image")
        return request.ticket

    def _ready(self, request: Request) -> Link:
        """The link to send it on, once all that it needs or replaces has been seen to."""
        self._take_in()
        if self._closed:
            raise WorkerError("The worker was closed; make a new client.")
        kind = request.header["kind"]
        if request.is_job and "key" in request.header:
            key = str(request.header["key"])
            request.image = self._images.use(key)
            if request.image is None:
                raise InputError(f"No image is known as {key!r}; call set_image first.")
            self._supersede(request.header)
        if self._link is None:
            self._begin()
        if request.image is not None and kind != "set_image":
            self._upload(str(request.header["key"]), request.image)
        assert self._link is not None
        return self._link

    def _begin(self) -> None:
        self._link = self._connect()
        self.restarts += self._was_started
        self._was_started, self._greeted = True, False
        self._begun_at_s = time.monotonic()
        self._images.sent.clear()
        self._cancelled_at_s.clear()

    def _upload(self, key: str, image: Image) -> Ticket[None]:
        if self._link is not None and self._images.sent.get(key) is image:
            return self._settled("set_image", None)
        ticket = self._submit(
            {"kind": "set_image", "key": key}, lambda arrays: {"image": pack_image(image, arrays)}
        )
        if not ticket.is_finished:
            self._open[ticket.id].image = image
            self._images.sent[key] = image
        return ticket

    def _forget(self, key: str) -> None:
        if self._images.sent.pop(key, None) is not None and self._link is not None:
            self._send({"kind": "forget_image", "key": key})

    def _supersede(self, header: Mapping[str, Any]) -> None:
        for request in list(self._open.values()):
            if request.is_job and supersedes(header, request.header):
                self._leave_behind(request.ticket.id)
                self._settle(request, "superseded", Cancelled(SUPERSEDED))

    def _preview_of(self, ticket: Ticket[Any]) -> Ticket[Any] | None:
        for request in self._open.values():
            if request.ticket.kind == "preview" and request.header["of"] == ticket.id:
                return request.ticket
        return None

    def _tell(self, kind: str, ticket: Ticket[Any]) -> None:
        request = self._open.get(ticket.id)
        if request is not None and self._link is not None:
            request.told.append(kind)
            self._send({"kind": kind, "of": ticket.id})

    def _send(self, header: Mapping[str, Any]) -> None:
        """A message without a ticket."""
        assert self._link is not None
        self._number += 1
        frame = Frame({**header, "id": self._number})
        self._link.send(self._number, lambda: frame)

    def _ticket(self, kind: str) -> Ticket[Any]:
        self._number += 1
        return Ticket(self, self._number, kind)

    def _settled(self, kind: str, value: object) -> Ticket[Any]:
        ticket = self._ticket(kind)
        ticket.finish("done", value)
        return ticket

    def _settle(
        self, request: Request, state: Any, error: DiffusionSegError | None, value: object = None
    ) -> None:
        self._open.pop(request.ticket.id, None)
        request.ticket.finish(state, value, error)
        if error is not None and request.ticket.kind == "set_image":
            self._images.unsend(str(request.header["key"]), request.image)

    def _leave_behind(self, number: int) -> None:
        """Nobody waits for that job any more; told at once, whatever is sent or not sent next."""
        if self._link is not None:
            self._cancelled_at_s[number] = time.monotonic()
            self._send({"kind": "cancel", "of": number})

    def _take_in(self) -> None:
        while True:
            try:
                event = self._news.get_nowait()
            except Empty:
                return
            self._handle(event)

    def _handle(self, event: Event) -> None:
        if event.link is not self._link:
            return  # of a worker that has been replaced
        try:
            if isinstance(event, Arrived):
                self._arrived(event)
            elif isinstance(event, Ended):
                self._ended(event.error)
            elif isinstance(event, Unsent):
                self._failed(event.number, event.error)
            else:
                self._sending(event)
        except Exception:  # noqa: BLE001  a boundary: a message that makes no sense must not stop the panel
            _LOG.exception("A message of the worker could not be understood.")

    def _arrived(self, event: Arrived) -> None:
        header = event.frame.header
        kind, number = header["kind"], header.get("id", 0)
        if kind == "greeting":
            self._greet(header)
            return
        if kind in ("answer", "failure", "ended"):
            self._cancelled_at_s.pop(number, None)
        request = self._open.get(number)
        if request is None:
            return  # stale: cancelled, superseded, or nobody waits for it
        request.started = True
        if kind == "progress":
            names = ("fraction", "stage", "elapsed_s", "remaining_s")
            request.ticket.report(WorkerProgress(*(header[name] for name in names)))
        elif kind == "answer":
            state = "done" if event.error is None else "failed"
            self._settle(request, state, event.error, event.value)
        elif kind == "failure":
            self._failed(number, unpack_failure(header))
        elif kind == "cancelled":
            self._settle(request, "cancelled", Cancelled())

    def _greet(self, header: Mapping[str, Any]) -> None:
        self._greeted = True
        if header.get("protocol") != PROTOCOL and self._link is not None:
            self._link.kill(
                f"it speaks version {header.get('protocol')} of the protocol and this program "
                f"{PROTOCOL}; install the same version of DiffusionSeg on both sides"
            )

    def _failed(self, number: int, error: DiffusionSegError) -> None:
        request = self._open.get(number)
        if request is not None:
            state = "cancelled" if isinstance(error, Cancelled) else "failed"
            self._settle(request, state, error)

    def _sending(self, event: Sending) -> None:
        """Told to whoever set the image, and to the jobs that wait for it."""
        sent = self._open.get(event.number)
        if sent is None:
            return
        elapsed_s = time.monotonic() - self._begun_at_s
        report = WorkerProgress(event.fraction, "Sending the image", elapsed_s, None)
        for request in list(self._open.values()):
            if request.image is sent.image and not request.started:
                request.ticket.report(report)

    def _starting(self, request: Request) -> None:
        if not request.started:
            request.ticket.report(WorkerProgress(0.0, "Starting the worker", 0.0, None))

    def _ended(self, error: WorkerError) -> None:
        self._link, self._old_log = None, error.log
        for request in list(self._open.values()):
            self._settle(request, "failed", error)

    def _watch(self) -> None:
        """See to a worker that never speaks, and to one that cannot let go of a cancelled job."""
        if self._link is None:
            return
        now_s = time.monotonic()
        if not self._greeted and now_s - self._begun_at_s > self._start_timeout_s:
            self._begun_at_s = now_s
            self._link.kill(
                f"it said nothing for {self._start_timeout_s:g} s after its start; try the worker "
                "command in a terminal"
            )
        blocked = any(r.is_job and not r.started for r in self._open.values())
        first_s = min(self._cancelled_at_s.values(), default=now_s)
        if blocked and now_s - first_s > self._patience_s:
            self._replace()

    def _replace(self) -> None:
        """Start another worker and send it everything that is still waited for."""
        assert self._link is not None
        self._link.kill("a cancelled job did not end")
        waiting = list(self._open.values())
        self._begin()
        for request in waiting:
            if not request.ticket.is_finished:
                self._hand_in_again(request)

    def _hand_in_again(self, request: Request) -> None:
        request.started = False
        key = str(request.header.get("key"))
        if request.ticket.kind == "set_image":
            if request.image is not None:
                self._images.sent[key] = request.image
        elif request.image is not None:
            self._upload(key, request.image)
        if request.ticket.is_finished:
            return  # by news that was taken in for the image: of a worker that died at once
        assert self._link is not None
        self._link.send(request.ticket.id, request.frame)
        for kind in request.told:
            self._send({"kind": kind, "of": request.ticket.id})
