"""The folder of models, and the room on its disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from DiffusionSegLib.backbones.fetching.space import shown_bytes
from DiffusionSegLib.backbones.places import bundled_folders, user_data_folder, user_folder
from DiffusionSegLib.doctor.examined import Examined
from DiffusionSegLib.doctor.section import Problem, Section
from DiffusionSegLib.progress import Progress

__all__ = ["TITLE", "section"]

TITLE = "Folders"
_SCARCE = 100_000_000  # bytes: less than the smallest download


def section(examined: Examined, progress: Progress) -> Section:
    """Where models are looked for, and whether more would fit."""
    own = user_folder()
    place = _nearest(own)
    free = _free(place)
    writable = os.access(place, os.W_OK)
    room = "" if free is None else f", {shown_bytes(free)} free"
    state = "" if own.is_dir() else ", not there yet"
    chosen = ", chosen by DIFFUSIONSEG_MODELS" if own.parent != user_data_folder() else ""
    lines = [f"Your models: {own}{chosen}{state}{room}{'' if writable else ', read only'}"]
    lines += [f"Models of the program: {folder}" for folder in bundled_folders()]
    problems = []
    if not bundled_folders():
        lines.append("Models of the program: missing")
        problems.append(
            Problem("The models that come with the program are missing; install it again.")
        )
    if free is not None and free < _SCARCE:
        problems.append(
            Problem(
                f"The disk of your models has only {shown_bytes(free)} free; free some space, or "
                "set DIFFUSIONSEG_MODELS to a folder on another disk."
            )
        )
    facts = {"free_bytes": free, "writable": writable, "exists": own.is_dir()}
    return Section(TITLE, tuple(lines), tuple(problems), facts)


def _nearest(folder: Path) -> Path:
    place = folder.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    return place


def _free(place: Path) -> int | None:
    try:
        return shutil.disk_usage(place).free
    except OSError:  # some network drives do not tell
        return None
