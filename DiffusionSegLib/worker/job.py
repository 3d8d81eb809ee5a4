"""One request while it waits and runs, and what other threads may tell it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.progress import Progress, ProgressReport
from DiffusionSegLib.worker.answers import Preview, WorkerProgress

__all__ = ["Job"]

_MOST_A_SECOND = 10
_SHORTEST_PAUSE_S = 0.125  # leaves room for a new stage, which is told at once


@dataclass(eq=False)
class Job:
    """header, arrays: of the request; image: what its key stood for when it came.

    tell: sends progress; show: sends a preview to the request of that number.
    """

    id: int
    header: Mapping[str, Any]
    arrays: tuple[NDArray[Any], ...]
    image: Image | None
    tell: Callable[[WorkerProgress], None]
    show: Callable[[int, Preview | None], None]
    cancelled: threading.Event = field(default_factory=threading.Event)
    enough: threading.Event = field(default_factory=threading.Event)
    _viewers: list[int] = field(default_factory=list)
    _finished: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _told_at_s: deque[float] = field(default_factory=lambda: deque(maxlen=_MOST_A_SECOND))
    _stage: str = ""

    @property
    def kind(self) -> str:
        """Of the request."""
        return str(self.header["kind"])

    def progress(self) -> Progress:
        """What the work reports to; made when it begins, so that the clock starts then."""
        return Progress(self._listen, self.cancelled.is_set, self.enough.is_set)

    def ask_preview(self, number: int) -> None:
        """Answer that request at the next step; with nothing when there is none to come."""
        with self._lock:
            if not self._finished:
                self._viewers.append(number)
                return
        self.show(number, None)

    def finish(self) -> None:
        """No preview will come any more."""
        with self._lock:
            self._finished = True
        self._answer_viewers(None)

    def _listen(self, report: ProgressReport) -> None:
        if self._viewers and callable(report.preview):
            made = report.preview()
            if isinstance(made, Image):
                self._answer_viewers(Preview(_half(made)))
        if not self._is_due(report.stage):
            return
        self.tell(
            WorkerProgress(report.fraction, report.stage, report.elapsed_s, report.remaining_s)
        )

    def _is_due(self, stage: str) -> bool:
        now_s = time.monotonic()
        if len(self._told_at_s) == _MOST_A_SECOND and now_s - self._told_at_s[0] < 1.0:
            return False
        soon = bool(self._told_at_s) and now_s - self._told_at_s[-1] < _SHORTEST_PAUSE_S
        if soon and stage == self._stage:
            return False
        self._told_at_s.append(now_s)
        self._stage = stage
        return True

    def _answer_viewers(self, preview: Preview | None) -> None:
        with self._lock:
            viewers, self._viewers = self._viewers, []
        for number in viewers:
            self.show(number, preview)


def _half(image: Image) -> Image:
    return Image(
        image.array.astype(np.float16, copy=False),
        image.geometry,
        image.channel_names,
        image.dimension,
    )
