"""Connections that are undone together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from DiffusionSegPanel.plain_signal import Signal

__all__ = ["Connections"]


class Connections:
    """Qt signals and plain ones, connected one by one and disconnected all at once."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], object]] = []

    def add(self, sender: Any, signal: str, slot: Callable[..., Any]) -> None:
        """Connect a widget's signal, such as "clicked()"."""
        sender.connect(signal, slot)
        self._undo.append(lambda: sender.disconnect(signal, slot))

    def listen(self, signal: Signal, receiver: Callable[..., Any]) -> None:
        """Connect a plain signal."""
        signal.connect(receiver)
        self._undo.append(lambda: signal.disconnect(receiver))

    def drop(self) -> None:
        """Disconnect everything; may be called again."""
        undo, self._undo = self._undo, []
        for action in undo:
            action()
