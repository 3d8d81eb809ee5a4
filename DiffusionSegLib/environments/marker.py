"""The file by which an environment of this program is known, and what it says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from DiffusionSegLib.io.atomic import atomic_file

__all__ = ["NAME", "Marker", "read_marker", "write_marker"]

NAME = "diffusionseg-environment.json"
_FORMAT = 1


@dataclass(frozen=True)
class Marker:
    """ready: the worker there answered; made: names in the folder that this program put there;
    extras, torch_build, interpreter: of the plan; packages: distribution to version, when it
    became ready; source: "network" or the folder of wheels; date: ISO 8601."""

    ready: bool = False
    made: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    torch_build: str = ""
    interpreter: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    date: str = ""


def read_marker(folder: Path) -> Marker | None:
    """None when there is none; one that cannot be read says that it is not ready."""
    path = folder / NAME
    try:
        values = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return Marker()
    return _marker(values)


def write_marker(folder: Path, marker: Marker) -> None:
    """Whole or not at all. Raises OutputError."""
    values = {"format": _FORMAT, **asdict(marker)}
    with atomic_file(folder / NAME) as stream:
        stream.write((json.dumps(values, indent=1, ensure_ascii=False) + "\n").encode())


def _marker(values: Any) -> Marker:
    try:
        return Marker(
            values["format"] == _FORMAT and values["ready"] is True,
            tuple(map(str, values["made"])),
            tuple(map(str, values["extras"])),
            str(values["torch_build"]),
            str(values["interpreter"]),
            {str(name): str(version) for name, version in values["packages"].items()},
            str(values["source"]),
            str(values["date"]),
        )
    except (KeyError, TypeError, AttributeError):
        return Marker()
