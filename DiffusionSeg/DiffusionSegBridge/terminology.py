"""Names of structures that Slicer's terminologies know."""

from __future__ import annotations

from DiffusionSegLib.nouns.label import Label

__all__ = ["completions", "labelFor"]


def completions(prefix: str) -> list[str]:
    """Names that begin with `prefix` (then those that contain it), sorted; "" gives all.

    Empty when no terminology is loaded.
    """
    return []


def labelFor(text: str, default: Label) -> Label:
    """`default` with the name, colour and codes of the structure called `text`, where known."""
    return default
