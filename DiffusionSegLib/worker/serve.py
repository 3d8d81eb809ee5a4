"""The worker process: frames on stdin and stdout, logs on stderr, until its parent is gone."""

from __future__ import annotations

import faulthandler
import io
import logging
import os
import sys
import threading
import time

from DiffusionSegLib.planning.rates import Rates, rates_file
from DiffusionSegLib.worker.engine import Engine
from DiffusionSegLib.worker.frames import Frame, FrameError, FrameReader, FrameWriter
from DiffusionSegLib.worker.pipes import reserve_standard_streams, widen
from DiffusionSegLib.worker.server import Server

__all__ = ["serve"]

_LOG = logging.getLogger(__name__)
_WATCH_S = 1.0


def serve() -> None:
    """Work until stdin ends, a shutdown is asked for or the parent dies; does not return.

    Jobs run on this thread: libraries expect to compute where the process began.
    """
    incoming, outgoing = reserve_standard_streams()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(message)s")
    faulthandler.enable()
    widen(incoming)
    widen(outgoing)
    send = _Sender(outgoing)
    server = Server(send, Engine(Rates(rates_file())))
    _watch_parent()
    server.greet()
    reader = threading.Thread(target=_read, args=(server, incoming, send), daemon=True)
    reader.start()
    server.work()


class _Sender:
    """Writes whole frames from any thread; ends the process when nobody listens any more."""

    def __init__(self, stream: io.FileIO) -> None:
        self._writer = FrameWriter(stream)
        self._lock = threading.Lock()

    def __call__(self, frame: Frame) -> None:
        try:
            with self._lock:
                self._writer.write(frame)
        except OSError:
            _leave(0)


def _read(server: Server, incoming: io.FileIO, send: _Sender) -> None:
    reader = FrameReader(incoming)
    code = 0
    try:
        while (frame := reader.read()) is not None and server.receive(frame):
            pass
    except FrameError as error:
        # Nothing can be told from what follows, so the process ends and is started anew.
        _LOG.error("%s", error)
        send(Frame({"kind": "broken", "sentence": str(error)}))
        code = 1
    except OSError as error:
        _LOG.error("Reading failed: %s", error)
    _leave(code)


def _leave(code: int) -> None:
    """At once, whatever runs: nothing is to be saved, and a job in the middle of a step must not
    keep memory after its front end is gone."""
    os._exit(code)


def _watch_parent() -> None:
    """Where stdin stays open although the parent died (another process holds its other end)."""
    if os.name != "posix":
        return
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_WATCH_S)
        _leave(0)

    threading.Thread(target=watch, daemon=True).start()
