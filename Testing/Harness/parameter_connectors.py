"""How a parameter is shown in a widget and read back, by the widget's class."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Any

from PySide6 import QtWidgets

from Testing.Harness import ctk_standins as ctk
from Testing.Harness import qmrml_standins as qmrml

# Widget class, the property that holds its value, the signal that tells of a change.
_WIDGETS: list[tuple[type, str, str]] = [
    (ctk.ctkCollapsibleButton, "collapsed", "contentsCollapsed(bool)"),
    (ctk.ctkSliderWidget, "value", "valueChanged(double)"),
    (ctk.ctkDoubleSlider, "value", "valueChanged(double)"),
    (ctk.ctkPathLineEdit, "currentPath", "currentPathChanged(QString)"),
    (ctk.ctkDirectoryButton, "directory", "directoryChanged(QString)"),
    (QtWidgets.QDoubleSpinBox, "value", "valueChanged(double)"),
    (QtWidgets.QSpinBox, "value", "valueChanged(int)"),
    (QtWidgets.QSlider, "value", "valueChanged(int)"),
    (QtWidgets.QAbstractButton, "checked", "toggled(bool)"),
    (QtWidgets.QComboBox, "currentText", "currentTextChanged(QString)"),
    (QtWidgets.QLineEdit, "text", "textChanged(QString)"),
    (QtWidgets.QPlainTextEdit, "plainText", "textChanged()"),
    (QtWidgets.QTextEdit, "plainText", "textChanged()"),
]


class Connector:
    """One widget that shows one parameter."""

    def __init__(self, widget: Any, kind: Any, value: str, signal: str) -> None:
        self._widget, self._kind, self._property, self._signal = widget, kind, value, signal
        self._slot: Callable[[], None] | None = None

    def on_changed(self, callback: Callable[[], None] | None) -> None:
        """Call this after every change; None for nobody any more."""
        if self._slot is not None:
            self._widget.disconnect(self._signal, self._slot)
        self._slot = callback
        if callback is not None:
            self._widget.connect(self._signal, callback)

    def read(self) -> Any:
        value = getattr(self._widget, self._property)
        return self._kind[value] if issubclass(self._kind, enum.Enum) else self._kind(value)

    def write(self, value: Any) -> None:
        shown = value.name if isinstance(value, enum.Enum) else value
        if getattr(self._widget, self._property) != shown:
            setattr(self._widget, self._property, shown)


class NodeConnector(Connector):
    """A node selector."""

    def __init__(self, widget: Any) -> None:
        super().__init__(widget, object, "", "currentNodeChanged(vtkMRMLNode*)")

    def read(self) -> Any:
        return self._widget.currentNode()

    def write(self, value: Any) -> None:
        self._widget.setCurrentNode(value)


def connector_for(widget: Any, kind: Any, annotations: Sequence[Any] = ()) -> Connector:
    """The connector of a widget; ranges of the parameter become the widget's.

    Raises:
        TypeError: a widget that the harness does not know to connect.
    """
    if isinstance(widget, qmrml.qMRMLNodeComboBox):
        return NodeConnector(widget)
    for known, value, signal in _WIDGETS:
        if isinstance(widget, known):
            if value == "value":
                _limit(widget, annotations)
            if known is QtWidgets.QComboBox and issubclass(kind, enum.Enum) and not widget.count:
                widget.addItems([member.name for member in kind])
            return Connector(widget, kind, value, signal)
    raise TypeError(f"The harness connects no parameter to {type(widget).__name__}.")


def _limit(widget: Any, annotations: Sequence[Any]) -> None:
    for name, extra in [(type(extra).__name__, extra) for extra in annotations]:
        if name in ("WithinRange", "Minimum"):
            widget.minimum = extra.minimum
        if name in ("WithinRange", "Maximum"):
            widget.maximum = extra.maximum
        if name == "Decimals":
            widget.decimals = extra.value
        if name == "SingleStep":
            widget.singleStep = extra.value
