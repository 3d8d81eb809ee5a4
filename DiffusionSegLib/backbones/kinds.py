"""Finds the function that opens what a card's settings name, without loading the others."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from DiffusionSegLib.errors import ModelError

__all__ = ["opener_of"]


def opener_of(kinds: Mapping[str, str], settings: Any, what: str) -> Callable[..., Any]:
    """The function of the "kind" in ``settings``; its module is imported here and not before.

    kinds: "module:function" by kind. what: of which kinds they are, for the sentence ("text
    encoder"). Raises ModelError for a kind that is none of them.
    """
    named = settings.get("kind") if isinstance(settings, Mapping) else settings
    place = kinds.get(named) if isinstance(named, str) else None
    if place is None:
        raise ModelError(
            f"The model's settings name a {what} of kind {named!r}; change it to one of "
            f"{', '.join(sorted(kinds))}."
        )
    module, _, function = place.partition(":")
    opener: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return opener
