"""What "remove everything" deletes, and what it leaves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Removable", "removable", "remove_all"]


@dataclass(frozen=True)
class Removable:
    """kind: "environment", "models", "packages", "licences" or "measurements"; paths: all that
    would go, path the first or the folder that they lie in; bytes: on the disk."""

    title: str
    path: Path
    bytes: int
    kind: str
    paths: tuple[Path, ...] = ()


def removable() -> tuple[Removable, ...]:
    """What this program put on this computer, and where; empty when nothing."""
    return ()


def remove_all(items: Iterable[Removable]) -> int:
    """Bytes freed. Links are removed, never what they point to; what a user dropped in himself
    stays. Raises OutputError with the file that is in use."""
    return 0
