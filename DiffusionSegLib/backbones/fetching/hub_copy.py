"""A repository of the Hugging Face hub as it lies in the folder of models, with an index."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from DiffusionSegLib.backbones.places import hub_room
from DiffusionSegLib.backbones.store import file_sha256
from DiffusionSegLib.errors import ModelError, OutputError
from DiffusionSegLib.io.atomic import atomic_file
from DiffusionSegLib.progress import Progress

__all__ = ["INDEX", "CopiedFile", "HubCopy", "find_copy", "read_copy", "write_copy"]

INDEX = "diffusionseg-files.json"
Chooser = Callable[[Sequence[str], bool], list[str]]


@dataclass(frozen=True)
class CopiedFile:
    """path: in the repository; sha256: computed when it was put here; changed_ns: its time then,
    so that a file that was touched since is computed again before it is used; checked: with whose
    sum it was compared then: "card", "hub", "bundle", or "" for nobody's."""

    path: str
    size: int
    sha256: str
    changed_ns: int = 0
    checked: str = ""


@dataclass(frozen=True)
class HubCopy:
    """source: the id that cards name; came_from: the repository that gave it; listing: all names
    that it has, of which ``files`` are here; uses: what for."""

    source: str
    came_from: str
    revision: str
    listing: tuple[str, ...]
    uses: tuple[str, ...]
    files: tuple[CopiedFile, ...]
    folder: Path

    @property
    def gave(self) -> str:
        """The repository and the beginning of its revision: "org/name@0094d483a120"."""
        return f"{self.came_from.partition('@')[0]}@{self.revision[:12]}"

    def check(self, progress: Progress | None = None, thorough: bool = False) -> None:
        """Sizes, and the sha256 of files touched since (thorough: of all). Raises ModelError."""
        for part in self.files:
            path = self.folder / part.path
            told = path.stat() if path.is_file() else None
            if told is None or told.st_size != part.size:
                raise _damaged(path, self.source)
            touched = thorough or told.st_mtime_ns != part.changed_ns
            if touched and file_sha256(path, progress) != part.sha256:
                raise _damaged(path, self.source)

    def has(self, names: Sequence[str]) -> bool:
        """Whether these files are here."""
        return set(names) <= {part.path for part in self.files}


def find_copy(source: str, choose: Chooser, prefer_half: bool) -> Path | None:
    """The folder of a repository that was fetched or imported; None when it, or a file that would
    be chosen, is not there. Raises ModelError when one is damaged."""
    copy = read_copy(source)
    if copy is None:
        return None
    for half in (prefer_half, not prefer_half):
        names = choose(copy.listing, half)
        if names and copy.has(names):
            copy.check()
            _remember_times(copy)
            return copy.folder
    return None


def read_copy(source: str, models: Path | None = None) -> HubCopy | None:
    """What is there of a repository; None when nothing is, or its index cannot be read."""
    folder = hub_room(source, models)
    try:
        values = json.loads((folder / INDEX).read_text("utf-8"))
        return _copy(values, folder) if values["source"] == source else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_copy(copy: HubCopy) -> None:
    """The index; written last, it makes the files known. Raises OutputError."""
    values = {name: value for name, value in asdict(copy).items() if name != "folder"}
    with atomic_file(copy.folder / INDEX) as stream:
        stream.write((json.dumps(values, indent=1) + "\n").encode())


def _remember_times(copy: HubCopy) -> None:
    """Of files that were touched and found unchanged, so that they are read once only."""
    times = [(copy.folder / one.path).stat().st_mtime_ns for one in copy.files]
    if times != [one.changed_ns for one in copy.files]:
        pairs = zip(copy.files, times, strict=True)
        files = tuple(replace(one, changed_ns=time) for one, time in pairs)
        with suppress(OutputError):  # a folder that may only be read
            write_copy(replace(copy, files=files))


def _copy(values: Any, folder: Path) -> HubCopy:
    return HubCopy(
        str(values["source"]),
        str(values["came_from"]),
        str(values["revision"]),
        tuple(map(str, values["listing"])),
        tuple(map(str, values["uses"])),
        tuple(CopiedFile(**part) for part in values["files"]),
        folder,
    )


def _damaged(path: Path, source: str) -> ModelError:
    return ModelError(
        f"The file {path} of {source} is missing or was changed; it is not used. Bring it back "
        "with 'diffusionseg models download' and the model's name."
    )
