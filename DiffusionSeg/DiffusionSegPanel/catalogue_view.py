"""The parameters of a method as widgets, made from what the worker says of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
        self._layout = qt.QFormLayout()
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setHorizontalSpacing(_SPACING)
        self._layout.setVerticalSpacing(_SPACING)
        self._layout.setFieldGrowthPolicy(qt.QFormLayout.AllNonFixedFieldsGrow)
        self._layout.setLabelAlignment(qt.Qt.AlignLeft | qt.Qt.AlignVCenter)
        parent.setLayout(self._layout)
        self._specs: tuple[Any, ...] = ()
        self._rows: dict[str, tuple[Any, Any]] = {}
        self._updating = False

    @property
    def widgets(self) -> dict[str, Any]:
        """The field of every parameter by name."""
        return {name: field for name, (_label, field) in self._rows.items()}

    def update(self, specs: tuple[Any, ...], values: Mapping[str, Any]) -> None:
        """Rows for ``specs`` with ``values`` (the default where there is none)."""
        self._updating = True
        try:
            if specs != self._specs:
                self._rebuild(specs)
            for spec in specs:
                _setValue(spec, self._rows[spec.name][1], values.get(spec.name, spec.default))
        finally:
            self._updating = False
        self._parent.setVisible(bool(specs))

    def clear(self) -> None:
        """Remove all rows."""
        for label, field in self._rows.values():
            for widget in (label, field):
                self._layout.removeWidget(widget)
                widget.hide()
                widget.setParent(None)
                widget.deleteLater()
        self._rows, self._specs = {}, ()

    def _rebuild(self, specs: tuple[Any, ...]) -> None:
        self.clear()
        for spec in specs:
            label, field = qt.QLabel(spec.title), _makeField(spec)
            field.objectName = f"parameter_{spec.name}"
            label.toolTip = field.toolTip = _toolTip(spec)
            field.connect(_SIGNALS[spec.type], self._slot(spec, field))
            self._layout.addRow(label, field)
            self._rows[spec.name] = (label, field)
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


def _makeField(spec: Any) -> Any:
    if spec.type == "bool":
        return qt.QCheckBox()
    if spec.type == "choice":
        combo = qt.QComboBox()
        for choice in spec.choices:
            combo.addItem(choice, choice)
        return combo
    return _intField(spec) if spec.type == "int" else _floatField(spec)


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
    isFine = high - low <= 1.0
    field.setDecimals(3)
    field.setRange(low, high)
    field.setSingleStep(0.01 if isFine else 0.5)
    return field


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
