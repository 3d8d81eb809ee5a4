"""What a run would cost, asked for when the choices have not changed for a moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt

from DiffusionSegLib.errors import DiffusionSegError
from DiffusionSegPanel.plain_signal import Signal

__all__ = ["Estimator"]

_PATIENCE_MS = 1000


class Estimator:
    """Asks the worker through the outliner. Signal: estimated (words, "" when unknown)."""

    def __init__(self, outliner: Any) -> None:
        self.estimated = Signal()
        self._outliner = outliner
        self._wanted: Any = None
        self._key = ""
        self._ticket: Any = None
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PATIENCE_MS)
        self._timer.connect("timeout()", self._ask)

    def want(self, key: str, request: Callable[[], Any]) -> None:
        """Estimate soon what ``request`` returns then: (volume nodes, Setup, Prompt) or None.

        ``key`` tells one wish from another; the same one again costs nothing.
        """
        if key == self._key:
            return
        self.forget()
        self._key, self._wanted = key, request
        self._timer.start()

    def forget(self) -> None:
        """Drop what was asked and what was said."""
        self._timer.stop()
        ticket, self._ticket = self._ticket, None
        if ticket is not None:
            ticket.cancel()
        if self._key:
            self.estimated.emit("")
        self._key, self._wanted = "", None

    def cleanup(self) -> None:
        """Asks no more."""
        self._timer.stop()
        self._timer.disconnect("timeout()", self._ask)
        self._ticket = self._wanted = None

    def _ask(self) -> None:
        if self._wanted is None:
            return
        if self._outliner.isBusy:
            self._timer.start()
            return
        try:
            request = self._wanted()
            if request is None:
                return
            self._ticket = self._outliner.estimate(*request)
        except DiffusionSegError:
            return  # Segment will say it
        self._ticket.when_done(self._onDone)

    def _onDone(self, ticket: Any) -> None:
        if ticket is not self._ticket:
            return
        self._ticket = None
        if ticket.state == "superseded":
            self._timer.start()  # a run came between
            return
        self.estimated.emit(ticket.value.words if ticket.state == "done" else "")
