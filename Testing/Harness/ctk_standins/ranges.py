"""Two numbers that bound a range."""

from __future__ import annotations

from PySide6.QtCore import Property, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QWidget


class ctkRangeWidget(QWidget):
    """Shown as two spin boxes; the slider between them is left out."""

    valuesChanged = Signal(float, float)
    minimumValueChanged = Signal(float)
    maximumValueChanged = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._low, self._high = QDoubleSpinBox(self), QDoubleSpinBox(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._low)
        layout.addWidget(self._high)
        self.setRange(0.0, 99.0)
        self._high.setValue(99.0)
        self._low.valueChanged.connect(lambda value: self._changed(self.minimumValueChanged, value))
        self._high.valueChanged.connect(
            lambda value: self._changed(self.maximumValueChanged, value)
        )

    def _changed(self, one: Signal, value: float) -> None:
        one.emit(value)
        self.valuesChanged.emit(self._low.value, self._high.value)

    def setRange(self, low: float, high: float) -> None:
        self._low.setRange(low, high)
        self._high.setRange(low, high)

    def setValues(self, low: float, high: float) -> None:
        self._low.setValue(low)
        self._high.setValue(high)

    def _set_minimum(self, value: float) -> None:
        self.setRange(value, self._low.maximum)

    def _set_maximum(self, value: float) -> None:
        self.setRange(self._low.minimum, value)

    def setMinimumValue(self, value: float) -> None:
        self._low.setValue(value)

    def setMaximumValue(self, value: float) -> None:
        self._high.setValue(value)

    def _set_single_step(self, value: float) -> None:
        self._low.setSingleStep(value)
        self._high.setSingleStep(value)

    def setDecimals(self, count: int) -> None:
        self._low.setDecimals(count)
        self._high.setDecimals(count)

    minimum = Property(float, lambda self: self._low.minimum, _set_minimum)
    maximum = Property(float, lambda self: self._low.maximum, _set_maximum)
    minimumValue = Property(float, lambda self: self._low.value, setMinimumValue)
    maximumValue = Property(float, lambda self: self._high.value, setMaximumValue)
    singleStep = Property(float, lambda self: self._low.singleStep, _set_single_step)
    decimals = Property(int, lambda self: self._low.decimals, setDecimals)
