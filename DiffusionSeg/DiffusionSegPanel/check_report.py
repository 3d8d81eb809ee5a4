"""The report of a full check: what the panel knows, then what the doctor found; nothing private."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import DiffusionSegLib
from DiffusionSegLib.backbones.places import user_data_folder
from DiffusionSegLib.doctor.privacy import discretion
from DiffusionSegLib.environments.isolated import default_environment

__all__ = ["checkReport"]

_LOG_LINES = 10
_SHORTEST = 3
_PIECES = re.compile(r"[\s@:=,;'\"]+")
# What a command may hold that is nobody's name.
_PLAIN = re.compile(
    r"[\d.]*|ssh|docker|podman|wsl|run|exec|conda|micromamba|bash|nice|env|diffusionseg|worker"
    r"|doctor|python[\d.]*|main|DiffusionSegLib\.cli\.main|gpus?|cpu|cuda|torch|host|source|activate"
    r"|all|none|true|false|and|then|slicer|models?",
    re.IGNORECASE,
)


def checkReport(own: str, commandText: str, found: Any, error: Any) -> str:
    """For people; may be shown to strangers.

    own: the installation's report, as it is; commandText: the worker command as it was typed, ""
    for one that was chosen by itself; found: an Examination, or None and the error in its place.
    """
    make = _discreet(commandText)
    if found is not None:
        title, text = "Where the worker runs, says diffusionseg doctor:", found.text
    else:
        title, text = "diffusionseg doctor made no report.", _failure(commandText, error)
    parts = [own, f"{title}\n"] + ([text] if text else [])
    return "\n".join(make(part) for part in parts)


def _failure(commandText: str, error: Any) -> str:
    """What a typed command says may tell of computers and people that are unknown here."""
    if commandText:
        return ""
    lines = str(getattr(error, "log", "")).splitlines()[-_LOG_LINES:]
    return "\n".join([str(error), *(f"  {line}" for line in lines)]) + "\n"


def _discreet(commandText: str) -> Callable[[str], str]:
    places = {
        "program": Path(DiffusionSegLib.__file__).resolve().parent.parent,
        "environment folder": default_environment().folder,
    }
    if "SLICER_HOME" in os.environ:
        places["Slicer"] = Path(os.environ["SLICER_HOME"])
    with suppress(RuntimeError):  # a user without a home
        places["user data folder"] = user_data_folder()
    general = discretion(os.environ, places)
    special = discretion({}, names=_names(commandText))
    return lambda text: special(general(text))


def _names(commandText: str) -> list[str]:
    """Of computers and users in a typed command, such as ssh's; folders are shortened anyway."""
    pieces = [piece for piece in _PIECES.split(commandText) if len(piece) >= _SHORTEST]
    found = {piece for piece in pieces if not re.search(r"^-|[/\\]", piece)}
    return sorted((one for one in found if not _PLAIN.fullmatch(one)), key=len, reverse=True)
