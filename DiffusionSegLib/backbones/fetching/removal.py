"""Takes a model off the disk: only what lies in the user's folder of models."""

from __future__ import annotations

import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from DiffusionSegLib.backbones.fetching.hub_copy import read_copy
from DiffusionSegLib.backbones.fetching.hub_parts import hub_parts
from DiffusionSegLib.backbones.fetching.space import disk_error
from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.backbones.places import user_folder
from DiffusionSegLib.backbones.store import ModelStore

__all__ = ["Removal", "folders_of", "in_user_folder", "remove_folders"]


_AWAY = ".removed-"


@dataclass(frozen=True)
class Removal:
    """folders: that would go; shared_with: ids of models that then have to be downloaded again;
    irretrievable: whether a folder holds files of which the card names no source."""

    folders: tuple[Path, ...]
    shared_with: tuple[str, ...]
    irretrievable: bool

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        files = [path for folder in self.folders for path in folder.rglob("*")]
        return sum(path.stat().st_size for path in files if path.is_file())


def folders_of(entry: ModelEntry, store: ModelStore) -> Removal:
    """What a removal of the model would take; nothing for one that came with the program."""
    own = user_folder() / entry.method / entry.name
    copies = [read_copy(part.source) for part in hub_parts(entry)]
    rooms = {copy.folder: copy.source for copy in copies if copy is not None}
    shared = [
        other.id
        for other in store.survey().entries.values()
        if other.id != entry.id and {part.source for part in hub_parts(other)} & {*rooms.values()}
    ]
    folders = [
        folder for folder in (entry.folder, own) if in_user_folder(folder) and folder.is_dir()
    ]
    lost = bool(folders) and not (entry.sources or all(part.sources for part in entry.files))
    return Removal(tuple(dict.fromkeys([*folders, *rooms])), tuple(shared), lost)


def remove_folders(folders: tuple[Path, ...]) -> None:
    """First out of the way, then off the disk, so that no half model is left. Raises OutputError.

    Folders outside the user's folder of models are left alone. What an earlier removal that was
    stopped left beside them goes too.
    """
    for folder in folders:
        if not in_user_folder(folder):
            continue
        away = folder.with_name(f"{_AWAY}{secrets.token_hex(4)}")
        try:
            for left in folder.parent.glob(f"{_AWAY}*"):
                shutil.rmtree(left)
            if folder.is_symlink():
                folder.unlink()  # what it points to is somebody else's
                continue
            os.replace(folder, away)
            shutil.rmtree(away)
        except OSError as error:
            raise disk_error(folder, error) from error


def in_user_folder(folder: Path) -> bool:
    """Whether a removal may touch it."""
    return user_folder().absolute() in folder.absolute().parents
