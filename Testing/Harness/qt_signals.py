"""`object.connect("signal(types)", function)`, the way PythonQt makes connections."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import MethodType
from typing import Any

import shiboken6
from PySide6 import QtCore

Slot = Callable[..., Any]

_ARGUMENTS = {"bool": bool, "int": int, "double": float, "float": float, "QString": str}
_native_connect = QtCore.QObject.connect
_native_disconnect = QtCore.QObject.disconnect


@dataclass
class Link:
    """One connection, kept so that `disconnect` finds it."""

    sender: QtCore.QObject
    signature: str
    slot: Slot
    signal: Any
    wrapped: Slot


_links: list[Link] = []


def normalized(signature: str) -> str:
    """`valueChanged( const QString & )` -> `valueChanged(QString)`, as Qt itself compares them."""
    name, arguments = split(signature)
    return f"{name}({','.join(arguments)})"


def split(signature: str) -> tuple[str, list[str]]:
    """Name and argument types of a signature."""
    name, _, arguments = signature.partition("(")
    kinds = arguments.rstrip(") ").split(",")
    plain = [kind.replace("const ", "").replace("&", "").replace(" ", "") for kind in kinds]
    return name.strip(), [kind for kind in plain if kind]


def accepted_arguments(function: Slot) -> int | None:
    """How many arguments PythonQt passes at most; None for all.

    Only Python functions and methods are asked, and default values count like the others.
    """
    bound = inspect.ismethod(function)
    plain = function.__func__ if isinstance(function, MethodType) else function
    if not inspect.isfunction(plain) or plain.__code__.co_flags & inspect.CO_VARARGS:
        return None
    return plain.__code__.co_argcount - int(bound)


def connect(self: Any, *arguments: Any) -> Any:
    """PythonQt's connect(signal, function) and connect(signal, receiver, slot)."""
    if not (isinstance(self, QtCore.QObject) and arguments and _is_signature(arguments[0])):
        return _native(_native_connect, self, arguments)
    signature = arguments[0]
    if len(arguments) == 3:
        function = getattr(arguments[1], split(arguments[2])[0])
    elif len(arguments) == 2 and callable(arguments[1]):
        function = arguments[1]
    else:
        raise TypeError(f"connect({signature!r}, ...) needs a function, or an object and its slot")
    signal = find_signal(self, signature)
    wrapped = _guarded(function, len(split(signature)[1]))
    signal.connect(wrapped)
    _links[:] = [link for link in _links if shiboken6.isValid(link.sender)]
    _links.append(Link(self, normalized(signature), function, signal, wrapped))
    return True


def disconnect(self: Any, *arguments: Any) -> Any:
    """PythonQt's disconnect(signal[, function]); False when there was no such connection."""
    if not (isinstance(self, QtCore.QObject) and arguments and _is_signature(arguments[0])):
        return _native(_native_disconnect, self, arguments)
    wanted = normalized(arguments[0])
    found = [
        link
        for link in _links
        if link.sender is self
        and link.signature == wanted
        and (len(arguments) < 2 or link.slot == arguments[1])
    ]
    for link in found:
        link.signal.disconnect(link.wrapped)
        _links.remove(link)
    return bool(found)


def _native(function: Slot, self: Any, arguments: tuple[Any, ...]) -> Any:
    """PySide's own signals come here too, some with the sender as an argument."""
    has_sender = arguments and isinstance(arguments[0], QtCore.QObject)
    return function(*arguments) if has_sender else function(self, *arguments)


def find_signal(sender: QtCore.QObject, signature: str) -> Any:
    """The PySide signal with this C++ signature.

    Raises:
        ValueError: the class has no such signal, or not with these arguments.
    """
    wanted = normalized(signature)
    name, kinds = split(signature)
    for kind in type(sender).__mro__:
        attribute = kind.__dict__.get("cppSignals", {}).get(wanted)
        if attribute:  # an argument type that only Slicer's C++ knows
            return getattr(sender, attribute)
    if sender.metaObject().indexOfSignal(wanted) < 0:
        raise ValueError(f"{type(sender).__name__} has no signal {wanted!r}")
    # A property may hide the signal's name on the object, but not in the classes.
    declared = next(
        kind.__dict__[name]
        for kind in type(sender).__mro__
        if isinstance(kind.__dict__.get(name), QtCore.Signal)
    )
    return _overload(declared.__get__(sender, type(sender)), kinds)


def _overload(signal: Any, kinds: list[str]) -> Any:
    key = tuple(_ARGUMENTS.get(kind, kind) for kind in kinds)
    try:
        return signal[key[0] if len(key) == 1 else key] if key else signal
    except (KeyError, IndexError, TypeError):
        return signal  # it has no overloads


def _guarded(function: Slot, offered: int) -> Slot:
    accepted = accepted_arguments(function)
    count = offered if accepted is None else min(offered, accepted)

    def slot(*values: Any) -> None:
        try:
            function(*values[:count])
        except Exception:  # noqa: BLE001 - PythonQt prints it and goes on; tests look at it later
            sys.excepthook(*sys.exc_info())

    return slot


def _is_signature(value: object) -> bool:
    return isinstance(value, str) and value[:1] not in ("1", "2")
