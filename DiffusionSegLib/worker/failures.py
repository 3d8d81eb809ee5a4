"""Errors across the wire, and every other exception as a sentence."""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Mapping
from typing import Any

from DiffusionSegLib import errors
from DiffusionSegLib.errors import Cancelled, DiffusionSegError, OutOfMemoryError, WorkerError

__all__ = ["explained", "pack_failure", "package_at_fault", "unpack_failure"]

_LOG_CHARACTERS = 8000


def explained(error: BaseException) -> DiffusionSegError:
    """Itself when it has a sentence for the user; else one, with the traceback as its log."""
    if isinstance(error, DiffusionSegError):
        return error
    if isinstance(error, MemoryError):
        return OutOfMemoryError(
            "There is not enough memory for this; choose a smaller region, fewer samples or "
            "another device."
        )
    told = "".join(traceback.format_exception(error))[-_LOG_CHARACTERS:]
    package = package_at_fault(error)
    if package is not None:
        return WorkerError(
            f"The Python package {package} is missing or broken where the worker runs ({error}); "
            f'install it with "{sys.executable}" -m pip install {package}, or choose another '
            "worker command in the settings.",
            told,
        )
    what = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return WorkerError(f"A mistake in the program stopped this ({what}).", told)


def package_at_fault(error: BaseException) -> str | None:
    """The package that is missing or cannot be loaded; None for errors of another kind."""
    # A part in another language is named alone, as "_C".
    if isinstance(error, ImportError) and error.name and not error.name.startswith("_"):
        return error.name.partition(".")[0]
    if isinstance(error, ImportError | OSError) and "torch" in str(error):
        return "torch"  # a library that torch needs cannot be loaded
    return None


def pack_failure(number: int, error: DiffusionSegError) -> dict[str, Any]:
    """Class name and sentence."""
    return {
        "kind": "failure",
        "id": number,
        "error": type(error).__name__,
        "sentence": str(error),
        "log": error.log if isinstance(error, WorkerError) else "",
    }


def unpack_failure(values: Mapping[str, Any]) -> DiffusionSegError:
    """The reverse; a class that is not known here becomes a WorkerError."""
    sentence, log = str(values.get("sentence", "")), str(values.get("log", ""))
    known = _CLASSES.get(str(values.get("error")), WorkerError)
    if issubclass(known, WorkerError):
        return known(sentence, log)
    return known(sentence or Cancelled().args[0])


_CLASSES: Mapping[str, type[DiffusionSegError]] = {
    name: member
    for name, member in inspect.getmembers(errors, inspect.isclass)
    if issubclass(member, DiffusionSegError)
}
