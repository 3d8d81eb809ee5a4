"""The slider of the threshold, and its place in the parameter node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt

from DiffusionSegPanel.connections import Connections
from DiffusionSegPanel.plain_signal import Signal

__all__ = ["ResultThreshold"]

_STORE_AFTER_MS = 300


class ResultThreshold:
    """Signal: changed (), after the user moved it. The parameter node, which tells the whole page,
    hears of it when the drag rests.

    parameterNode: returns the parameter node, or None while the scene is closed.
    """

    def __init__(self, slider: Any, parameterNode: Callable[[], Any]) -> None:
        self.changed = Signal()
        self._slider, self._parameterNode = slider, parameterNode
        self._isUpdating = False
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(_STORE_AFTER_MS)
        self._connections = Connections()
        self._connections.add(slider, "valueChanged(double)", self._onMoved)
        self._connections.add(self._timer, "timeout()", self._write)

    @property
    def value(self) -> float:
        """Where the slider is."""
        return float(self._slider.value)

    def read(self) -> None:
        """Show what the parameter node holds, unless the user has moved the slider since."""
        self.store()
        parameters = self._parameterNode()
        if parameters is None:
            return
        self._isUpdating = True
        try:
            self._slider.value = parameters.threshold
        finally:
            self._isUpdating = False

    def store(self) -> None:
        """What waits to be stored is stored now."""
        if self._timer.active:
            self._write()

    def forget(self) -> None:
        """What waits is not stored: its scene goes."""
        self._timer.stop()

    def cleanup(self) -> None:
        """Nothing calls back any more; may be called again."""
        self.store()
        self._connections.drop()

    def _onMoved(self, _value: float) -> None:
        if not self._isUpdating:
            self._timer.start()
            self.changed.emit()

    def _write(self) -> None:
        self._timer.stop()
        parameters = self._parameterNode()
        if parameters is not None:
            parameters.threshold = self.value
