"""Sections that open and close."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Property, Qt, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QGroupBox, QSizePolicy, QToolButton, QWidget

_HEADER = 24  # pixels


class ctkCollapsibleButton(QWidget):
    """A header that hides everything below it."""

    clicked = Signal(bool)
    toggled = Signal(bool)
    contentsCollapsed = Signal(bool)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(next((a for a in arguments if isinstance(a, QWidget)), None))
        self._collapsed = False
        self._header = QToolButton(self)
        self._header.setText(next((a for a in arguments if isinstance(a, str)), ""))
        self._header.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._header.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._header.setArrowType(Qt.ArrowType.DownArrow)
        self._header.clicked.connect(self._on_click)
        self.setContentsMargins(0, _HEADER, 0, 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._header.setGeometry(0, 0, self.size.width(), _HEADER - 2)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show_contents()  # children that were added after it was collapsed

    def _on_click(self) -> None:
        self._set_collapsed(not self._collapsed)
        self.clicked.emit(not self._collapsed)

    def _set_collapsed(self, collapsed: bool) -> None:
        if collapsed != self._collapsed:
            self._collapsed = collapsed
            self._show_contents()
            self.contentsCollapsed.emit(collapsed)
            self.toggled.emit(not collapsed)

    def _show_contents(self) -> None:
        arrow = Qt.ArrowType.RightArrow if self._collapsed else Qt.ArrowType.DownArrow
        self._header.setArrowType(arrow)
        for child in self.children():
            if isinstance(child, QWidget) and child is not self._header:
                _hide_or_restore(child, self._collapsed)

    def setText(self, text: str) -> None:
        self._header.setText(text)

    def setChecked(self, checked: bool) -> None:
        self._set_collapsed(not checked)

    text = Property(str, lambda self: self._header.text, setText)
    collapsed = Property(bool, lambda self: self._collapsed, _set_collapsed)
    checked = Property(bool, lambda self: not self._collapsed, setChecked)
    collapsedHeight = Property(int, lambda _: 10, lambda *_: None)
    contentsFrameShape = Property(int, lambda _: 0, lambda *_: None)


class ctkCollapsibleGroupBox(QGroupBox):
    """A group box that closes when it is unchecked."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.setCheckable(True)
        self.setChecked(True)
        self.toggled.connect(self._show_contents)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show_contents(not self.collapsed)  # children that were added after it was collapsed

    def _show_contents(self, shown: bool) -> None:
        for child in self.children():
            if isinstance(child, QWidget):
                _hide_or_restore(child, not shown)

    def _set_collapsed(self, collapsed: bool) -> None:
        self.setChecked(not collapsed)

    collapsed = Property(bool, lambda self: not self.checked, _set_collapsed)
    collapsedHeight = Property(int, lambda _: 14, lambda *_: None)


def _hide_or_restore(child: QWidget, hide: bool) -> None:
    """Hide a child, or show it again unless the module itself had hidden it."""
    if hide:
        if not child.isHidden():
            child.setProperty("_hidden_by_section", True)
            child.setVisible(False)
    elif child.property("_hidden_by_section"):
        child.setProperty("_hidden_by_section", False)
        child.setVisible(True)
