"""Keys that work while the module is shown, and never while something is typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import qt
import slicer

__all__ = ["Shortcuts"]

_TYPING = ("QLineEdit", "QTextEdit", "QPlainTextEdit", "QAbstractSpinBox")


class Shortcuts:
    """Installs keys on the main window in enter() and takes them away in exit().

    actions: key sequence ("Shift+P") to function. fallbackParent: the widget that carries the keys
    where there is no main window.
    """

    def __init__(self, actions: Mapping[str, Callable[[], object]], fallbackParent: Any) -> None:
        self._actions, self._fallbackParent = dict(actions), fallbackParent
        self._installed: list[tuple[Any, Callable[[], None]]] = []

    @property
    def keys(self) -> list[str]:
        """The key sequences installed now."""
        return [shortcut.key.toString() for shortcut, _ in self._installed]

    def enter(self) -> None:
        """Install the keys; a second call has no effect."""
        if self._installed:
            return
        parent = slicer.util.mainWindow() or self._fallbackParent
        for key, action in self._actions.items():
            shortcut = qt.QShortcut(parent)
            shortcut.setKey(qt.QKeySequence(key))
            shortcut.autoRepeat = False  # a key that is held is one press
            slot = _unlessTyping(action)
            shortcut.connect("activated()", slot)
            self._installed.append((shortcut, slot))

    def exit(self) -> None:
        """Take them away; may be called again."""
        for shortcut, slot in self._installed:
            shortcut.disconnect("activated()", slot)
            shortcut.setParent(None)
            shortcut.deleteLater()
        self._installed = []


def _unlessTyping(action: Callable[[], object]) -> Callable[[], None]:
    def slot() -> None:
        if not isTyping():
            action()

    return slot


def isTyping() -> bool:
    """Whether the widget with the focus takes text."""
    widget = qt.QApplication.focusWidget()
    return widget is not None and any(widget.inherits(name) for name in _TYPING)
