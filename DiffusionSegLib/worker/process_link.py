"""A worker process: a thread that starts and feeds it, one that listens, one for its log."""

from __future__ import annotations

import io
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from queue import SimpleQueue

from DiffusionSegLib.errors import WorkerError
from DiffusionSegLib.worker.failures import explained
from DiffusionSegLib.worker.frames import Frame, FrameError, FrameReader, FrameWriter
from DiffusionSegLib.worker.link import Ended, News, Sending, Unsent, arrived
from DiffusionSegLib.worker.pipes import widen
from DiffusionSegLib.worker.process_tree import ended_by, kill_tree, start, wait_for_end

__all__ = ["ProcessLink"]

_LOG_LINES, _LINE_BYTES = 200, 2000
_POLITE_S = 0.5
_GRACE_S = 1.0
_TOLD_PAUSE_S = 0.1


class ProcessLink:
    """Implements Link over a command's stdin and stdout."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], news: News) -> None:
        self._command, self._environment, self._news = tuple(command), environment, news
        self._outgoing: SimpleQueue[tuple[int, Callable[[], Frame], bool] | None] = SimpleQueue()
        self._lines: deque[str] = deque(maxlen=_LOG_LINES)
        self._process: subprocess.Popen[bytes] | None = None
        self._reason = ""
        self._greeted = self._waited_for = False
        self._over = threading.Event()
        self._lock = threading.Lock()
        threading.Thread(target=self._run, name="worker: feed", daemon=True).start()

    @property
    def log(self) -> str:
        """The last lines of stderr."""
        return "\n".join(list(self._lines))

    def send(self, number: int, make: Callable[[], Frame], told: bool = False) -> None:
        """Queue a request."""
        self._outgoing.put((number, make, told))

    def close(self) -> None:
        """Ask it to end, and see to it shortly after."""
        self._outgoing.put((0, lambda: Frame({"kind": "shutdown"}), False))
        self._outgoing.put(None)
        if not self._over.wait(_POLITE_S):
            self.kill("it was closed")
            self._over.wait(_POLITE_S)

    def kill(self, reason: str) -> None:
        """End the whole tree."""
        with self._lock:
            self._reason = self._reason or reason
            # Once it has been waited for, its number may belong to another process.
            if self._process is not None and not self._waited_for:
                kill_tree(self._process)
        self._outgoing.put(None)

    def _run(self) -> None:
        try:
            with self._lock:
                if self._reason:
                    self._end(f"The worker was stopped before it began: {self._reason}.")
                    return
                self._process = process = start(self._command, self._environment)
        except (OSError, ValueError) as error:
            self._end(
                f"The worker command {self._shown()} cannot be started ({error}); correct it in "
                "the settings."
            )
            return
        threading.Thread(target=self._listen, name="worker: listen", daemon=True).start()
        _block_broken_pipe_signal()
        assert isinstance(process.stdin, io.FileIO)
        widen(process.stdin)
        with suppress(OSError, ValueError):  # its end is noticed by the listener
            self._feed(FrameWriter(process.stdin))
        with suppress(OSError):
            process.stdin.close()

    def _feed(self, writer: FrameWriter) -> None:
        while (item := self._outgoing.get()) is not None:
            number, make, told = item
            try:
                frame = make()
            except Exception as error:  # noqa: BLE001  a thread's boundary: the ticket is told
                self._news.put(Unsent(self, number, explained(error)))
                continue
            writer.write(frame, self._teller(number) if told else None)

    def _teller(self, number: int) -> Callable[[int, int], None]:
        told_at_s = time.monotonic()

        def tell(done: int, size: int) -> None:
            nonlocal told_at_s
            if time.monotonic() - told_at_s >= _TOLD_PAUSE_S:
                told_at_s = time.monotonic()
                self._news.put(Sending(self, number, done / size))

        return tell

    def _listen(self) -> None:
        process = self._process
        assert process is not None
        assert isinstance(process.stdout, io.FileIO)
        logger = threading.Thread(target=self._collect_log, name="worker: log", daemon=True)
        logger.start()
        widen(process.stdout)
        problem = ""
        try:
            self._read(FrameReader(process.stdout))
        except FrameError as error:
            problem = str(error)
            self._lines.append(problem)
        except (OSError, MemoryError) as error:
            problem = f"Reading from it failed ({error})."
        self._finish(process, logger, problem)

    def _read(self, reader: FrameReader) -> None:
        frame = reader.read_first()
        if frame is not None and frame.header["kind"] != "greeting":
            raise FrameError(f"Instead of a worker's greeting came {frame.header['kind']!r}.")
        while frame is not None:
            self._greeted = True
            if frame.header["kind"] == "broken":
                self._reason = f"it could not read a request: {frame.header.get('sentence')}"
            else:
                self._news.put(arrived(self, frame))
            frame = reader.read()

    def _finish(
        self, process: subprocess.Popen[bytes], logger: threading.Thread, problem: str
    ) -> None:
        """Nothing can follow: see that all of it ends, and say how it ended."""
        ended = not problem and wait_for_end(process, _GRACE_S)
        with self._lock:
            kill_tree(process)
            self._waited_for = True
        code = process.wait()
        if process.stdout is not None:
            process.stdout.close()
        logger.join(_POLITE_S)
        self._outgoing.put(None)
        self._end(self._sentence(problem, ended_by(code) if ended else "it closed its output"))

    def _sentence(self, problem: str, how: str) -> str:
        if self._reason:
            return f"The worker was stopped: {self._reason.rstrip('.')}."
        if problem and not self._greeted:
            return (
                f"The worker command {self._shown()} does not start a worker. {problem} Correct "
                "the command in the settings."
            )
        if problem:
            return f"What the worker sent cannot be read, so it was stopped. {problem}"
        if not self._greeted:
            last = f" Its last words: {self._lines[-1]}" if self._lines else ""
            return (
                f"The worker command {self._shown()} ended before it was ready ({how}); correct "
                f"it in the settings.{last}"
            )
        return f"The worker stopped unexpectedly ({how}). The next request starts it again."

    def _end(self, sentence: str) -> None:
        self._over.set()
        self._news.put(Ended(self, WorkerError(sentence, self.log)))

    def _shown(self) -> str:
        return repr(" ".join(self._command))

    def _collect_log(self) -> None:
        process = self._process
        if process is None or process.stderr is None:
            return
        with suppress(OSError, ValueError), process.stderr as stream:
            for line in io.BufferedReader(stream):  # type: ignore[type-var]
                text = line[:_LINE_BYTES].decode("utf-8", "replace").rstrip()
                if text:
                    self._lines.append(text)


def _block_broken_pipe_signal() -> None:
    """Writing to a dead worker is an error here, never the signal that ends the whole program:
    a program with an embedded Python, such as 3D Slicer, need not have it ignored."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPIPE})
