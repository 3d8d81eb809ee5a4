"""Numbers of things in words."""

from __future__ import annotations

__all__ = ["counted"]


def counted(count: int, word: str) -> str:
    """ "1 window", "27 windows"."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
