"""Starts the worker as the panel does, and asks it who it is."""

from __future__ import annotations

import time
from typing import TypeVar

from DiffusionSegLib.backbones.fetching.space import shown_bytes
from DiffusionSegLib.doctor.examined import Examined
from DiffusionSegLib.doctor.section import Problem, Section
from DiffusionSegLib.errors import WorkerError
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.worker.client import WorkerClient
from DiffusionSegLib.worker.ticket import Ticket

__all__ = ["TITLE", "section", "waited"]

T = TypeVar("T")
TITLE = "Worker"
_LOOK_S = 0.02
_HELLO_S = 180.0  # the first import of torch on a slow disk
_PING_S = 10.0
_LOG_LINES = 10
# A worker that dies when it is greeted dies of the libraries that it loads.
_STOPPED = "The next request starts it again."
_MENDING = "Install torch again, or choose another Python for the worker."


def section(examined: Examined, progress: Progress) -> Section:
    """Seconds to the first answer, milliseconds of a short one, memory."""
    if not examined.run:
        return Section(TITLE, ("Not started, as asked for.",))
    examined.client = client = WorkerClient(examined.command)
    began_s = time.monotonic()
    try:
        hello = waited(client, client.hello(), progress, _HELLO_S)
    except WorkerError as error:
        last = client.last_log.splitlines()[-_LOG_LINES:]
        sentence = str(error).replace(_STOPPED, _MENDING)
        lines = (f"It does not answer: {sentence}", *(f"  {line}" for line in last))
        return Section(TITLE, lines, (Problem(sentence, "torch"),))
    start_s = time.monotonic() - began_s
    examined.hello = hello
    began_s = time.monotonic()
    memory = client.memory().result(_PING_S)
    ping_s = time.monotonic() - began_s
    facts = {
        "seconds_to_hello": round(start_s, 2),
        "ping_ms": round(1000 * ping_s, 1),
        "memory_bytes": memory.process_rss,
        "protocol": hello.protocol,
        "torch": hello.torch,
    }
    line = (
        f"It answered {start_s:.1f} s after its start and then within {1000 * ping_s:.0f} ms; it "
        f"takes {shown_bytes(memory.process_rss)} of memory (protocol {hello.protocol})."
    )
    if hello.problem is None:
        return Section(TITLE, (line,), (), facts)
    return Section(TITLE, (line, hello.problem), (Problem(hello.problem, "torch"),), facts)


def waited(client: WorkerClient, ticket: Ticket[T], progress: Progress, timeout_s: float) -> T:
    """The answer; meanwhile progress is told, and a request to stop noticed.

    Raises what the ticket failed with, and WorkerError when the time is over.
    """
    end_s = time.monotonic() + timeout_s
    while not ticket.is_finished:
        if ticket.progress is not None:
            progress.report(ticket.progress.fraction)
        progress.check()
        if time.monotonic() > end_s:
            ticket.cancel()
            raise WorkerError(
                f"The worker has not answered within {timeout_s:.0f} s; close other programs and "
                "try again, or choose another device.",
                client.last_log,
            )
        client.poll()
        time.sleep(_LOOK_S)
    return ticket.result(0.0)
