"""Finds the methods: every package in this folder that defines METHOD."""

from __future__ import annotations

import importlib
import pkgutil

from DiffusionSegLib import methods
from DiffusionSegLib.errors import unknown_name
from DiffusionSegLib.methods.contract import Method

__all__ = ["get_method", "method_names"]


def method_names() -> list[str]:
    """Names of all methods, sorted; nothing is imported."""
    return sorted(part.name for part in pkgutil.iter_modules(methods.__path__) if part.ispkg)


def get_method(name: str) -> Method:
    """The method of that name; raises UnknownNameError, which suggests the nearest."""
    known = {known.lower(): known for known in method_names()}
    if name.lower() not in known:
        raise unknown_name("method", name, known.values())
    module = importlib.import_module(f"{methods.__name__}.{known[name.lower()]}")
    method: Method = module.METHOD
    return method
