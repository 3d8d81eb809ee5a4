"""Qt properties as attributes, the way PythonQt shows them.

In PythonQt `label.text` is the value and hides the getter of the same name; an assignment sets it;
an unknown name can neither be read nor be written on an object that C++ made.
"""

from __future__ import annotations

from typing import Any

from PySide6 import QtCore

_get_property = QtCore.QObject.property
_set_property = QtCore.QObject.setProperty
_children = QtCore.QObject.children


class PropertyAttribute:
    """One Q_PROPERTY of a class as a Python attribute."""

    def __init__(self, name: str, original: Any = None) -> None:
        self.name, self.original = name, original
        self._reading = False

    def __get__(self, owner: QtCore.QObject | None, kind: type) -> Any:
        if owner is None:  # such as QTimer.singleShot(ms, f), a static method of the same name
            bind = getattr(self.original, "__get__", None)
            return bind(None, kind) if bind else self
        if self._reading and self.original is not None:
            # A virtual getter, such as sizeHint: PySide asks whether Python overrides it.
            return self.original.__get__(owner, kind)
        self._reading = True
        try:
            return _get_property(owner, self.name)
        finally:
            self._reading = False

    def __set__(self, owner: QtCore.QObject, value: object) -> None:
        if not _set_property(owner, self.name, value):
            raise AttributeError(
                f"Property {self.name!r} does not take {value!r} ({type(value).__name__})"
            )


class Absent:
    """A name that PySide6 has and PythonQt has not."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, owner: object, kind: type) -> Any:
        raise AttributeError(self.name)  # read_unknown says it in words


def dynamic_properties(owner: QtCore.QObject) -> list[str]:
    """Names of the properties that a .ui file or setProperty added to this one object."""
    return [bytes(name.data()).decode() for name in owner.dynamicPropertyNames()]


def show_properties(kind: type[QtCore.QObject]) -> None:
    """Turn the Q_PROPERTYs of a PySide class into attributes: those that it declares itself, and
    inherited ones whose getter it overrides."""
    meta = kind.__dict__.get("staticMetaObject")
    if meta is None:
        return
    for index in range(meta.propertyCount()):
        name = meta.property(index).name()
        if index >= meta.propertyOffset() or name in kind.__dict__:
            setattr(kind, name, PropertyAttribute(name, kind.__dict__.get(name)))


def read_unknown(self: QtCore.QObject, name: str) -> Any:
    """`__getattr__`: dynamic properties, then children by object name."""
    if not name.startswith("__"):
        if name in dynamic_properties(self):
            return _get_property(self, name)
        for child in _children(self):
            if _get_property(child, "objectName") == name:
                return child
    raise AttributeError(f"{type(self).__name__} has no attribute named {name!r}")


def write(self: QtCore.QObject, name: str, value: object) -> None:
    """`__setattr__`: properties are set, new names only on classes written in Python."""
    kind = type(self)
    found = next((c.__dict__[name] for c in kind.__mro__ if name in c.__dict__), None)
    if found is not None and hasattr(type(found), "__set__"):
        found.__set__(self, value)
    elif isinstance(found, QtCore.Property) or name in dynamic_properties(self):
        _set_property(self, name, value)  # of a stand-in, or of this one object
    elif found is None and not name.startswith("_") and _stands_for_cpp(kind):
        raise AttributeError(
            f"{name!r} does not exist on {kind.__name__}, and PythonQt creates no new attributes"
            " on C++ objects"
        )
    else:
        self.__dict__[name] = value


def _stands_for_cpp(kind: type) -> bool:
    return kind.__module__.startswith(("PySide6", "Testing.Harness"))
