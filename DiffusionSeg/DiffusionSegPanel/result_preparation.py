"""A large result is made ready between other events, so that the page answers meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Any

import qt

from DiffusionSegBridge.graded_outline import GradedOutline, grading

__all__ = ["ResultPreparation"]

_AT_ONCE_S = 0.05


class ResultPreparation:
    """Grades one proposal at a time, 50 ms at a stretch; a small one is ready at once."""

    def __init__(self) -> None:
        self._steps: Generator[None, None, GradedOutline] | None = None
        self._done: Callable[[GradedOutline], None] | None = None
        self._timer = qt.QTimer()
        self._timer.setInterval(0)
        self._timer.connect("timeout()", self._goOn)

    @property
    def isUnderWay(self) -> bool:
        """Whether a proposal is still being graded."""
        return self._steps is not None

    def start(self, proposal: Any, done: Callable[[GradedOutline], None]) -> None:
        """Call ``done`` with the outline, now or later; an earlier proposal is forgotten."""
        self._steps, self._done = grading(proposal), done
        self._goOn()
        if self._steps is not None:
            self._timer.start()

    def cancel(self) -> None:
        """Nothing is called any more."""
        self._timer.stop()
        self._steps = self._done = None

    def cleanup(self) -> None:
        """The timer calls back no more."""
        self.cancel()
        self._timer.disconnect("timeout()", self._goOn)

    def _goOn(self) -> None:
        until = time.monotonic() + _AT_ONCE_S
        while self._steps is not None and time.monotonic() < until:
            try:
                next(self._steps)
            except StopIteration as end:
                done = self._done
                self.cancel()
                if done is not None:
                    done(end.value)
