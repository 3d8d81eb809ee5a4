"""Packages that a stopped pip or a virus scanner left in parts."""

from __future__ import annotations

import csv
from pathlib import Path

from DiffusionSegLib.environments.deleting import delete

__all__ = ["discard_damaged"]


def discard_damaged(site: Path) -> list[str]:
    """Let pip forget packages of which files are missing or have another size, so that it installs
    them again. Their names.

    pip takes a package for installed when its METADATA is there, and writes RECORD, the list of
    its files, last. Raises OutputError.
    """
    found = []
    for info in sorted(site.glob("*.dist-info")):
        if not _is_whole(info, site):
            delete(info)
            found.append(info.name.partition("-")[0])
    for leftover in site.glob("~*"):  # what pip moved aside while it replaced a package
        delete(leftover)
    return found


def _is_whole(info: Path, site: Path) -> bool:
    try:
        text = (info / "RECORD").read_text("utf-8")
        rows = list(csv.reader(text.splitlines()))
    except (OSError, ValueError, csv.Error):
        return False
    if not rows or not (info / "METADATA").is_file():
        return False
    return all(_is_there(site / row[0], row[2] if len(row) > 2 else "") for row in rows if row)


def _is_there(path: Path, size: str) -> bool:
    if path.suffix == ".pyc":  # written anew when it is needed
        return True
    try:
        return not size or path.stat().st_size == int(size)
    except (OSError, ValueError):
        return False
