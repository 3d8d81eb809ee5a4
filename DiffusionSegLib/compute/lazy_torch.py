"""torch, imported when it is first needed: that takes seconds, and it may be missing."""

from __future__ import annotations

from typing import Any

__all__ = ["torch_or"]


def torch_or(given: Any = None) -> Any:
    """What is given, else torch itself. Tests give the part of it that a GPU elsewhere shows."""
    if given is not None:
        return given
    import torch

    return torch
