"""The parameters of a method as widgets, made from what the worker says of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ctk
import qt
from slicer.i18n import tr as _

from DiffusionSegPanel.plain_signal import Signal

__all__ = ["ParameterForm"]

_LARGEST_INT = 2**31 - 1
_LARGEST_FLOAT = 1e9
_SPACING = 8


class ParameterForm:
    """A form in ``parent``, one row per ParameterSpec. Signal: changed(name, value)."""

    def __init__(self, parent: Any) -> None:
        self.changed = Signal()
        self._parent = parent
        self._layout = qt.QVBoxLayout()
        self._layout.setContentsMargins(0, 0, 0, 0)
        parent.setLayout(self._layout)
        self._page: Any = None
        self._specs: tuple[Any, ...] = ()
        self.widgets: dict[str, Any] = {}  # the field of every parameter by name
        self._updating = False

    def update(self, specs: tuple[Any, ...], values: Mapping[str, Any]) -> None:
        """Rows for ``specs`` with ``values`` (the default where there is none)."""
        self._updating = True
        try:
            if specs != self._specs:
                self._rebuild(specs)
            for spec in specs:
                _setValue(spec, self.widgets[spec.name], values.get(spec.name, spec.default))
        finally:
            self._updating = False
        self._parent.setVisible(bool(specs))

    def clear(self) -> None:
        """Remove all rows."""
        if self._page is not None:
            self._layout.removeWidget(self._page)
            self._page.hide()
            self._page.setParent(None)
            self._page.deleteLater()
        self._page, self.widgets, self._specs = None, {}, ()

    def _rebuild(self, specs: tuple[Any, ...]) -> None:
        self.clear()
        self._page = qt.QWidget()
        form = _emptyForm(self._page)
        self._layout.addWidget(self._page)
        for spec in specs:
            label, field = qt.QLabel(spec.title), _makeField(spec)
            field.objectName = f"parameter_{spec.name}"
            label.toolTip = field.toolTip = _toolTip(spec)
            field.connect(_SIGNALS[spec.type], self._slot(spec, field))
            form.addRow(label, field)
            self.widgets[spec.name] = field
        self._specs = specs

    def _slot(self, spec: Any, field: Any) -> Any:
        def onChanged() -> None:
            if not self._updating:
                self.changed.emit(spec.name, _value(spec, field))

        return onChanged


_SIGNALS = {
    "int": "valueChanged(int)",
    "float": "valueChanged(double)",
    "bool": "toggled(bool)",
    "choice": "currentIndexChanged(int)",
}


def _emptyForm(page: Any) -> Any:
    form = qt.QFormLayout()
    form.setContentsMargins(0, 0, 0, 0)
    form.setHorizontalSpacing(_SPACING)
    form.setVerticalSpacing(_SPACING)
    form.setFieldGrowthPolicy(qt.QFormLayout.AllNonFixedFieldsGrow)
    form.setLabelAlignment(qt.Qt.AlignLeft | qt.Qt.AlignVCenter)
    page.setLayout(form)
    return form


def _makeField(spec: Any) -> Any:
    if spec.type == "bool":
        return qt.QCheckBox()
    if spec.type == "choice":
        combo = qt.QComboBox()
        for choice in spec.choices:
            combo.addItem(choice, choice)
        return combo
    if spec.type == "int":
        return _intField(spec)
    isRange = spec.minimum is not None and spec.maximum is not None
    return _floatSlider(spec) if isRange else _floatField(spec)


def _intField(spec: Any) -> Any:
    field = qt.QSpinBox()
    low = -_LARGEST_INT if spec.minimum is None else max(-_LARGEST_INT, int(spec.minimum))
    high = _LARGEST_INT if spec.maximum is None else min(_LARGEST_INT, int(spec.maximum))
    field.setRange(low, high)
    return field


def _floatField(spec: Any) -> Any:
    field = qt.QDoubleSpinBox()
    low = -_LARGEST_FLOAT if spec.minimum is None else spec.minimum
    high = _LARGEST_FLOAT if spec.maximum is None else spec.maximum
    field.setDecimals(_decimals(spec, high - low))
    field.setRange(low, high)
    field.setSingleStep(_step(high - low))
    return field


def _floatSlider(spec: Any) -> Any:
    field, span = ctk.ctkSliderWidget(), spec.maximum - spec.minimum
    field.decimals = _decimals(spec, span)  # first: the limits are rounded to it
    field.minimum, field.maximum = spec.minimum, spec.maximum
    field.singleStep, field.pageStep = _step(span), span / 10
    return field


def _decimals(spec: Any, span: float) -> int:
    written = f"{float(spec.default):g}".partition(".")[2]
    return max(len(written), 2 if span <= 1.0 else 1)


def _step(span: float) -> float:
    return 0.01 if span <= 1.0 else 0.5


def _setValue(spec: Any, field: Any, value: Any) -> None:
    if spec.type == "bool":
        field.setChecked(bool(value))
    elif spec.type == "choice":
        field.setCurrentIndex(list(spec.choices).index(value) if value in spec.choices else -1)
    else:
        field.setValue(value)


def _value(spec: Any, field: Any) -> Any:
    if spec.type == "bool":
        return bool(field.checked)
    if spec.type == "choice":
        return field.itemData(field.currentIndex)
    return field.value


def _toolTip(spec: Any) -> str:
    return _("{description} Default: {default} ({source}).").format(
        description=spec.description, default=spec.default, source=spec.source
    )
