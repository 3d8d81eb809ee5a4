"""Finds the models: those shipped with the package, and folders that a user dropped in."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from DiffusionSegLib.backbones.manifest import ModelEntry, ModelFile, read_manifest
from DiffusionSegLib.errors import ModelError, unknown_name

__all__ = ["ModelStore", "check_file", "file_sha256"]

_LOG = logging.getLogger(__name__)
_FOLDER_VARIABLE = "DIFFUSIONSEG_MODELS"


class ModelStore:
    """Models in FOLDER/<method>/<name>/model.json. Where two share an id, the first folder wins."""

    def __init__(self, folders: Sequence[Path] | None = None) -> None:
        self._folders = tuple(folders) if folders is not None else (*_bundled(), _user_folder())

    def list(self, method: str | None = None) -> list[ModelEntry]:
        """All usable models (of one method), sorted by id. A broken card is logged and left out."""
        found: dict[str, ModelEntry] = {}
        for folder in self._folders:
            for path in sorted(folder.glob("*/*/model.json")):
                try:
                    entry = read_manifest(path)
                except ModelError as error:
                    _LOG.warning("%s", error)
                    continue
                if method in (None, entry.method):
                    found.setdefault(entry.id, entry)
        return [found[key] for key in sorted(found)]

    def find(self, method: str, name: str | None = None) -> ModelEntry:
        """One model by name or id; without a name the default one. Raises UnknownNameError."""
        entries = self.list(method)
        if name is None:
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
        for entry in entries:
            if name.lower() in (entry.name.lower(), entry.id.lower()):
                return entry
        raise unknown_name(f"model of {method}", name, [entry.name for entry in entries])

    def verify(self, entry: ModelEntry) -> None:
        """Check size and sha256 of every file; raises ModelError."""
        for part in entry.files:
            check_file(entry, part)


def check_file(entry: ModelEntry, part: ModelFile) -> Path:
    """The path of a model's file after its size and sha256 were compared with the card's."""
    path = entry.folder / part.path
    if not path.is_file():
        raise ModelError(
            f"The weights {path} of the model {entry.id} are missing; install them again."
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


def file_sha256(path: Path) -> str:
    """Hexadecimal sha256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _bundled() -> list[Path]:
    """Resources/Models inside the installed package, else beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    candidates = [package / "Resources" / "Models", package.parent / "Resources" / "Models"]
    return [path for path in candidates if path.is_dir()][:1]


def _user_folder() -> Path:
    chosen = os.environ.get(_FOLDER_VARIABLE)
    if chosen:
        return Path(chosen)
    from platformdirs import user_data_path

    return user_data_path("DiffusionSeg") / "models"
