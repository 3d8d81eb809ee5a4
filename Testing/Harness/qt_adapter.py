"""The module `qt` of Slicer, made of PySide6: one flat namespace with PythonQt's habits."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import MethodType, ModuleType
from typing import Any

from PySide6 import QtCore, QtGui, QtNetwork, QtSvg, QtUiTools, QtWidgets

from Testing.Harness import qt_properties, qt_signals
from Testing.Harness.real_api import FACTS
from Testing.Harness.ui_loader import QUiLoader

_MODULES = (QtCore, QtGui, QtWidgets, QtNetwork, QtSvg, QtUiTools)


def install() -> ModuleType:
    """Put `qt` into sys.modules and give PySide6's classes PythonQt's habits, once."""
    if "qt" in sys.modules:
        return sys.modules["qt"]
    qt = ModuleType("qt", __doc__)
    for name in FACTS["qt"]:
        for module in _MODULES:
            if hasattr(module, name):
                setattr(qt, name, getattr(module, name))
    qt.QUiLoader = QUiLoader
    for kind in _object_classes(qt):
        qt_properties.show_properties(kind)
        kind.__setattr__ = qt_properties.write
        if "__getattribute__" in kind.__dict__:
            kind.__getattribute__ = _with_connect(kind.__dict__["__getattribute__"])
    _add_habits()
    for kind_name, names in FACTS["absent"].items():
        for name in names:
            setattr(getattr(qt, kind_name), name, qt_properties.Absent(name))
    sys.modules["qt"] = qt
    return qt


def _object_classes(qt: ModuleType) -> Iterator[type]:
    """Every PySide6 class derived from QObject, bases included, each once."""
    seen: set[type] = set()
    for kind in [value for value in vars(qt).values() if isinstance(value, type)]:
        if issubclass(kind, QtCore.QObject):
            for base in kind.__mro__:
                if base not in seen and base.__module__.startswith("PySide6"):
                    seen.add(base)
                    yield base


def _with_connect(original: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    """PySide binds connect and disconnect in C++, out of reach of an ordinary class attribute."""

    def read(self: Any, name: str) -> Any:
        if name == "connect":
            return MethodType(qt_signals.connect, self)
        if name == "disconnect":
            return MethodType(qt_signals.disconnect, self)
        return original(self, name)

    return read


def _add_habits() -> None:
    base: Any = QtCore.QObject
    base.name = qt_properties.PropertyAttribute("objectName")
    base.className = lambda self: self.metaObject().className()
    base.delete = lambda self: self.deleteLater()
    base.__getattr__ = qt_properties.read_unknown
