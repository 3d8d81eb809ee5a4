"""What a card knows of the files in a repository: which revision, and the sha256 of its files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from DiffusionSegLib.backbones.sources import HUB_ID

__all__ = ["Pin", "read_pins"]

_SHA256 = re.compile(r"[0-9a-f]{64}")
_REVISION = re.compile(r"[\w./-]{1,100}")


@dataclass(frozen=True)
class Pin:
    """revision: a commit, or "" for whatever is newest; sha256: of files by their path."""

    revision: str = ""
    sha256: Mapping[str, str] = field(default_factory=dict)


def read_pins(values: Any) -> dict[str, Pin]:
    """Of a card's "pins": {"org/name": {"revision": ..., "sha256": {path: ...}}, ...}.

    Raises ValueError that says what is wrong.
    """
    if not isinstance(values, Mapping):
        raise ValueError(f"the pins are a table by hub id, not {values!r}")
    return {_name(name): _pin(name, pin) for name, pin in values.items()}


def _name(name: Any) -> str:
    if not isinstance(name, str) or not HUB_ID.fullmatch(name) or "@" in name:
        raise ValueError(f"{name!r} among the pins is no hub id of the form organization/name")
    return name


def _pin(name: str, values: Any) -> Pin:
    if not isinstance(values, Mapping) or not set(values) <= {"revision", "sha256"}:
        raise ValueError(f"the pin of {name} is a table with a revision and sha256, not {values!r}")
    revision, sums = values.get("revision", ""), values.get("sha256", {})
    if not isinstance(revision, str) or (revision and not _REVISION.fullmatch(revision)):
        raise ValueError(f"the revision of {name} is a text without spaces, not {revision!r}")
    if not isinstance(sums, Mapping):
        raise ValueError(f"the sha256 of {name} are a table by path, not {sums!r}")
    for path, digest in sums.items():
        if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
            raise ValueError(f"the sha256 of {path!r} in {name} is not 64 hexadecimal digits")
    return Pin(revision, dict(sums))
