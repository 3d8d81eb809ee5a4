"""A slider with a spin box, and its two halves."""

from __future__ import annotations

from PySide6.QtCore import Property, Qt, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QSlider, QWidget

_STEPS = 10000


class ctkDoubleSpinBox(QDoubleSpinBox):
    """A spin box of numbers with decimals."""


class ctkSliderWidget(QWidget):
    """Slider and spin box that show one number.

    Without tracking, `valueChanged` comes when the slider is let go, and `valueIsChanging` before.
    """

    valueChanged = Signal(float)
    valueIsChanging = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._slider = QSlider(Qt.Orientation.Horizontal, self)
        self._slider.setRange(0, _STEPS)
        self._box = QDoubleSpinBox(self)
        self._box.setRange(0.0, 99.0)
        self._tracking, self._page_step = True, 10.0
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._slider)
        layout.addWidget(self._box)
        self._box.valueChanged.connect(self._on_box)
        self._slider.valueChanged.connect(self._on_slider)
        self._slider.sliderReleased.connect(self._on_release)

    def _on_slider(self, position: int) -> None:
        span = self._box.maximum - self._box.minimum
        value = self._box.minimum + span * position / _STEPS
        if self._tracking or not self._slider.isSliderDown():
            self._box.setValue(value)
        else:
            self.valueIsChanging.emit(value)

    def _on_release(self) -> None:
        if not self._tracking:
            self._on_slider(self._slider.value)

    def _on_box(self, value: float) -> None:
        self._place_slider()
        if self._tracking:
            self.valueIsChanging.emit(value)
        self.valueChanged.emit(value)

    def _place_slider(self) -> None:
        span = self._box.maximum - self._box.minimum
        position = (self._box.value - self._box.minimum) / span if span else 0.0
        blocked = self._slider.blockSignals(True)
        self._slider.setValue(round(_STEPS * position))
        self._slider.blockSignals(blocked)

    def setValue(self, value: float) -> None:
        self._box.setValue(value)

    def _set_range(self, low: float, high: float) -> None:
        self._box.setRange(low, high)
        self._place_slider()

    def _set_minimum(self, value: float) -> None:
        self._set_range(value, max(value, self._box.maximum))

    def _set_maximum(self, value: float) -> None:
        self._set_range(min(value, self._box.minimum), value)

    def _set_single_step(self, value: float) -> None:
        self._box.setSingleStep(value)

    def _set_page_step(self, value: float) -> None:
        self._page_step = value

    def setDecimals(self, count: int) -> None:
        self._box.setDecimals(count)

    def _set_prefix(self, text: str) -> None:
        self._box.setPrefix(text)

    def _set_suffix(self, text: str) -> None:
        self._box.setSuffix(text)

    def _set_tracking(self, tracking: bool) -> None:
        self._tracking = tracking

    def setSpinBoxVisible(self, visible: bool) -> None:
        self._box.setVisible(visible)

    value = Property(float, lambda self: self._box.value, setValue)
    minimum = Property(float, lambda self: self._box.minimum, _set_minimum)
    maximum = Property(float, lambda self: self._box.maximum, _set_maximum)
    singleStep = Property(float, lambda self: self._box.singleStep, _set_single_step)
    pageStep = Property(float, lambda self: self._page_step, _set_page_step)
    decimals = Property(int, lambda self: self._box.decimals, setDecimals)
    prefix = Property(str, lambda self: self._box.prefix, _set_prefix)
    suffix = Property(str, lambda self: self._box.suffix, _set_suffix)
    tracking = Property(bool, lambda self: self._tracking, _set_tracking)
    spinBoxVisible = Property(bool, lambda self: not self._box.isHidden(), setSpinBoxVisible)


class ctkDoubleSlider(QWidget):
    """A slider over numbers with decimals."""

    valueChanged = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._low, self._high, self._value, self._step = 0.0, 99.0, 0.0, 1.0

    def setValue(self, value: float) -> None:
        value = min(max(value, self._low), self._high)
        if value != self._value:
            self._value = value
            self.valueChanged.emit(value)

    def _set_range(self, low: float, high: float) -> None:
        self._low, self._high = low, high
        self.setValue(self._value)

    def _set_minimum(self, value: float) -> None:
        self._set_range(value, max(value, self._high))

    def _set_maximum(self, value: float) -> None:
        self._set_range(min(value, self._low), value)

    def _set_single_step(self, value: float) -> None:
        self._step = value

    value = Property(float, lambda self: self._value, setValue)
    minimum = Property(float, lambda self: self._low, _set_minimum)
    maximum = Property(float, lambda self: self._high, _set_maximum)
    singleStep = Property(float, lambda self: self._step, _set_single_step)
