"""Buttons of CTK that look and act like Qt's own, as far as a panel uses them."""

from __future__ import annotations

from PySide6.QtCore import Property, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QCheckBox, QPushButton, QWidget


class ctkCheckBox(QCheckBox):
    """A check box."""


class ctkPushButton(QPushButton):
    """A push button."""


class ctkMenuButton(QPushButton):
    """A push button with a menu beside it."""


class ctkColorPickerButton(QPushButton):
    """Shows a color; the dialog to choose one is left out."""

    colorChanged = Signal(QColor)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._color = QColor("black")
        self._name_shown = True

    def setColor(self, color: QColor) -> None:
        if color != self._color:
            self._color = color
            self.colorChanged.emit(color)

    def _show_name(self, shown: bool) -> None:
        self._name_shown = shown

    color = Property(QColor, lambda self: self._color, setColor)
    displayColorName = Property(bool, lambda self: self._name_shown, _show_name)
