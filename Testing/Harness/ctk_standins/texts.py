"""Lists and texts of CTK."""

from __future__ import annotations

from PySide6.QtCore import Property, Signal
from PySide6.QtWidgets import QComboBox, QLineEdit, QTextBrowser


class ctkComboBox(QComboBox):
    """A list with a text for no choice."""

    def _set_default_text(self, text: str) -> None:
        self.placeholderText = text

    defaultText = Property(str, lambda self: self.placeholderText, _set_default_text)


class ctkCheckableComboBox(QComboBox):
    """A list with a check box in each row; checking is left out."""

    checkedIndexesChanged = Signal()


class ctkSearchBox(QLineEdit):
    """A line edit with a magnifying glass."""


class ctkFittedTextBrowser(QTextBrowser):
    """A text as tall as its content."""
