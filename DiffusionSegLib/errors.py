"""The one family of errors: `str(error)` is the sentence that the user reads."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "Cancelled",
    "DeviceError",
    "DiffusionSegError",
    "GeometryError",
    "InputError",
    "ModelError",
    "OutOfMemoryError",
    "OutputError",
    "PromptError",
    "UnknownNameError",
    "WorkerError",
    "unknown_name",
]


class DiffusionSegError(Exception):
    """Base of every expected failure; its text says what was wrong, received, and what to do."""


class InputError(DiffusionSegError):
    """An image, a mask or another thing given by the user cannot be used."""


class GeometryError(InputError):
    """A position in space is impossible: zero spacing, singular direction, no overlap."""


class PromptError(InputError):
    """A click, a box, a scribble or a region cannot be used with this image."""


class UnknownNameError(InputError):
    """A method, a model or a parameter was asked for under a name that does not exist."""


class ModelError(DiffusionSegError):
    """The weights are missing, damaged or of a kind that is refused."""


class DeviceError(DiffusionSegError):
    """The computing device asked for is not there."""


class OutOfMemoryError(DiffusionSegError):
    """The device has too little memory for this image and these settings."""


class OutputError(DiffusionSegError):
    """A result could not be written; files that were there before are unchanged."""


class WorkerError(DiffusionSegError):
    """The process that computes cannot be started, or it stopped. log: its last words."""

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


class Cancelled(DiffusionSegError):
    """The user asked to stop."""

    def __init__(self, message: str = "Cancelled.") -> None:
        super().__init__(message)


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UnknownNameError:
    """The error for a wrong `name`; it suggests the nearest of the `known` ones, or lists them."""
    names = sorted(known)
    if not names:
        return UnknownNameError(f"There is no {kind} {name!r}: no {kind} is available.")
    lowered = {known_name.lower(): known_name for known_name in names}
    nearest = get_close_matches(name.lower(), lowered, n=1)
    if nearest:
        return UnknownNameError(
            f"There is no {kind} {name!r}. Did you mean {lowered[nearest[0]]!r}? "
            f"Available: {', '.join(names)}."
        )
    return UnknownNameError(f"There is no {kind} {name!r}. Available: {', '.join(names)}.")
