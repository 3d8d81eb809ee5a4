"""Finds what a method adds to the command line, without naming any method."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from types import ModuleType

from DiffusionSegLib.errors import InputError, unknown_name


def trainable_methods() -> list[str]:
    """The packages DiffusionSegLib.training.<method>; none of them is imported."""
    package = importlib.import_module("DiffusionSegLib.training")
    return sorted(part.name for part in pkgutil.iter_modules(package.__path__) if part.ispkg)


def training_of(method: str) -> ModuleType:
    """The package that trains a method: add_arguments(parser) and run(args, progress) -> str."""
    known = trainable_methods()
    if method not in known:
        raise unknown_name("method that can be trained", method, known)
    return importlib.import_module(f"DiffusionSegLib.training.{method}")


def conversion_of(method: str) -> ModuleType:
    """The module that reads a method's released checkpoints: convert(checkpoint, out) -> str."""
    from DiffusionSegLib.methods.registry import get_method

    name = get_method(method).description.name
    module = f"DiffusionSegLib.methods.{name}.released"
    if importlib.util.find_spec(module) is None:
        raise InputError(f"The method {name} has no released checkpoints that could be converted.")
    return importlib.import_module(module)
