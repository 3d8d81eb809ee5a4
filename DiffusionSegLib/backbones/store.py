"""Finds the models: those shipped with the package, and folders that a user dropped in."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from DiffusionSegLib.backbones.manifest import ModelEntry, ModelFile, read_manifest
from DiffusionSegLib.backbones.places import HUB_ROOM, bundled_folders, user_folder
from DiffusionSegLib.errors import ModelError, unknown_name
from DiffusionSegLib.progress import Progress

__all__ = [
    "BrokenCard", "ModelStore", "Survey", "check_file", "file_path", "file_sha256", "hidden_note",
    "is_bundled", "store_of",
]  # fmt: skip

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class BrokenCard:
    """A model.json that cannot be used, under the id that its folders give it, and why."""

    id: str
    folder: Path
    reason: str


@dataclass(frozen=True)
class Survey:
    """All that the folders hold. entries: by id, those that are used; hidden: of each such id the
    others that are not, since they come later in the folders."""

    entries: Mapping[str, ModelEntry]
    hidden: Mapping[str, Sequence[ModelEntry]]
    broken: Sequence[BrokenCard]

    def notes(self) -> list[str]:
        """A sentence for every card that is not used: why, and what to do."""
        told = [card.reason for card in self.broken]
        for key, others in self.hidden.items():
            told += [hidden_note(self.entries[key], other) for other in others]
        return told


class ModelStore:
    """Models in FOLDER/<method>/<name>/model.json. Where two share an id, the first folder wins."""

    def __init__(self, folders: Sequence[Path] | None = None) -> None:
        self._folders = tuple(folders) if folders is not None else (*_bundled(), user_folder())

    def survey(self) -> Survey:
        """Everything there is, with what is broken or hidden; reads cards, and nothing else."""
        found: dict[str, list[ModelEntry]] = {}
        broken: list[BrokenCard] = []
        for folder in self._folders:
            try:
                paths = sorted(folder.glob("*/*/model.json"))
            except OSError as error:  # a network drive that went, a name that cannot be
                broken.append(BrokenCard(str(folder), folder, _unreadable(folder, error)))
                continue
            for path in paths:
                place = path.parent
                # Repositories have files of that name too, and what is being removed still has.
                if place.parent.name == HUB_ROOM or place.name.startswith("."):
                    continue
                try:
                    entry = replace(read_manifest(path), store=self._folders)
                except ModelError as error:
                    name = f"{place.parent.name}/{place.name}"
                    broken.append(BrokenCard(name, place, str(error)))
                    continue
                found.setdefault(entry.id, []).append(entry)
        return Survey(
            {key: found[key][0] for key in sorted(found)},
            {key: found[key][1:] for key in sorted(found) if len(found[key]) > 1},
            broken,
        )

    def list(self, method: str | None = None) -> list[ModelEntry]:
        """All usable models (of one method), sorted by id. What is broken or hidden is logged and
        left out: see `survey`."""
        survey = self.survey()
        for note in survey.notes():
            _LOG.warning("%s", note)
        return [entry for entry in survey.entries.values() if method in (None, entry.method)]

    def find(self, method: str, name: str | None = None) -> ModelEntry:
        """One model by name or id, or by its folder's path; without a name the default one.

        Raises UnknownNameError, and ModelError for a folder whose card is not usable.
        """
        if name is not None and _is_path(name):
            entry = _in_folder(method, Path(os.path.expanduser(name)))
            return replace(entry, store=self._folders)
        entries = self.list(method)
        if name is None:
            return _default(method, entries)
        for entry in entries:
            if name.lower() in (entry.name.lower(), entry.id.lower()):
                return entry
        raise unknown_name(f"model of {method}", name, [entry.name for entry in entries])

    def verify(self, entry: ModelEntry) -> None:
        """Check size and sha256 of every file; raises ModelError."""
        for part in entry.files:
            check_file(entry, part)


def _unreadable(folder: Path, error: OSError) -> str:
    return (
        f"The folder of models {str(folder)[:200]} cannot be read ({error.strerror}), and its "
        "models are not listed: look whether its disk is there."
    )


def store_of(entry: ModelEntry) -> ModelStore:
    """The store that found a model; the usual one for a card that was read alone."""
    return ModelStore(entry.store or None)


def hidden_note(used: ModelEntry, hidden: ModelEntry) -> str:
    """Which of two models of the same id is used, and how the other can be."""
    return (
        f"There are two models {used.id}: the one in {used.folder} is used, the one in "
        f'{hidden.folder} is not. To use the other, change its "name" in model.json, or choose it '
        f"by its folder: --model {hidden.folder}."
    )


def _is_path(name: str) -> bool:
    """A name such as cdal/hippocampus is an id, unless a model's folder is there."""
    card = os.path.join(os.path.expanduser(name), "model.json")
    return ("/" in name or "\\" in name) and os.path.isfile(card)


def _in_folder(method: str, folder: Path) -> ModelEntry:
    entry = read_manifest(folder / "model.json")
    if entry.method != method:
        raise unknown_name(f"model of {method}", entry.id, [])
    return entry


def _default(method: str, entries: Sequence[ModelEntry]) -> ModelEntry:
    chosen = next((entry for entry in entries if entry.default), None)
    if chosen is None and len(entries) == 1:
        chosen = entries[0]
    if chosen is None:
        raise unknown_name(
            f"default model of {method}; name one with --model:",
            "",
            [e.name for e in entries],
        )
    return chosen


def file_path(entry: ModelEntry, part: ModelFile) -> Path:
    """Where a model's file is, or will be: beside its card, or, for a card whose folder belongs to
    the program, in the user's folder under the model's id."""
    beside = entry.folder / part.path
    if beside.exists() or not is_bundled(entry):
        return beside
    return user_folder() / entry.method / entry.name / part.path


def is_bundled(entry: ModelEntry) -> bool:
    """Whether its card came with the program."""
    return any(folder in entry.folder.parents for folder in _bundled())


def check_file(entry: ModelEntry, part: ModelFile) -> Path:
    """The path of a model's file after its size and sha256 were compared with the card's."""
    path = file_path(entry, part)
    if not path.is_file():
        raise ModelError(
            f"The weights {path} of the model {entry.id} are missing; install them again"
            f"{_how(entry, part)}."
        )
    size = path.stat().st_size
    if size != part.size:
        raise ModelError(
            f"The weights {path} have {size} bytes instead of {part.size}: the file is cut off or "
            "was changed; install the model again."
        )
    if file_sha256(path) != part.sha256:
        raise ModelError(
            f"The weights {path} do not have the sha256 that the card of {entry.id} names: "
            "the file is damaged or was exchanged; install the model again."
        )
    return path


def _how(entry: ModelEntry, part: ModelFile) -> str:
    downloadable = part.sources or entry.sources
    return f" with 'diffusionseg models download {entry.id}'" if downloadable else ""


def file_sha256(path: Path, progress: Progress | None = None) -> str:
    """Hexadecimal sha256 of a file; a progress can cancel it."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            if progress is not None:
                progress.check()
            digest.update(block)
    return digest.hexdigest()


def _bundled() -> list[Path]:
    return bundled_folders()
