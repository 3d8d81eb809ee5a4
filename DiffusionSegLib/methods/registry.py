"""Finds the methods: every package in this folder that defines METHOD."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

from DiffusionSegLib import methods
from DiffusionSegLib.errors import unknown_name
from DiffusionSegLib.methods.contract import Method

__all__ = ["get_method", "method_names"]


def method_names() -> list[str]:
    """Names of all methods, sorted; a package without METHOD cannot be run yet and is left out."""
    packages = (part.name for part in pkgutil.iter_modules(methods.__path__) if part.ispkg)
    return sorted(name for name in packages if hasattr(_package(name), "METHOD"))


def get_method(name: str) -> Method:
    """The method of that name; raises UnknownNameError, which suggests the nearest."""
    known = {known.lower(): known for known in method_names()}
    if name.lower() not in known:
        raise unknown_name("method", name, known.values())
    method: Method = _package(known[name.lower()]).METHOD
    return method


def _package(name: str) -> ModuleType:
    """Light: a method's package imports torch when a model is opened, not before."""
    return importlib.import_module(f"{methods.__name__}.{name}")
