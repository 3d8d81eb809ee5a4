"""A signal in plain Python, for controllers that know no Qt."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

__all__ = ["Signal"]


class Signal:
    """Calls everything that is connected, in the order of connection.

    A receiver that raises is reported as Slicer reports an exception in a slot, and does not keep
    the others from being called: one broken section must not stop the panel.
    """

    def __init__(self) -> None:
        self._receivers: list[Callable[..., object]] = []

    def connect(self, receiver: Callable[..., object]) -> None:
        """Call ``receiver`` from now on; connecting it twice has no effect."""
        if receiver not in self._receivers:
            self._receivers.append(receiver)

    def disconnect(self, receiver: Callable[..., object]) -> None:
        """Call it no more; unknown receivers are ignored, so that clean-up can be repeated."""
        if receiver in self._receivers:
            self._receivers.remove(receiver)

    def emit(self, *arguments: Any) -> None:
        """Call the receivers connected now, each with ``arguments``; not those that an earlier one
        disconnects."""
        for receiver in tuple(self._receivers):
            if receiver not in self._receivers:
                continue
            try:
                receiver(*arguments)
            except Exception:  # noqa: BLE001 - between a controller and the page
                sys.excepthook(*sys.exc_info())
