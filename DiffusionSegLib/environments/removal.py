"""What "remove everything" deletes, and what it leaves.

A model came by this program when its card is part of the program (its weights were then fetched),
or when its licence was accepted here, as before every download and import, and the card says where
all of it can be had again. Every other folder with a card was dropped in by the user, and stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from DiffusionSegLib.backbones.fetching.hub_copy import INDEX
from DiffusionSegLib.backbones.fetching.licences import is_accepted
from DiffusionSegLib.backbones.manifest import ModelEntry, read_manifest
from DiffusionSegLib.backbones.places import (
    HUB_ROOM,
    bundled_folders,
    user_data_folder,
    user_folder,
)
from DiffusionSegLib.environments.building import remove
from DiffusionSegLib.environments.deleting import delete, disk_bytes
from DiffusionSegLib.environments.isolated import IsolatedEnvironment, default_environment
from DiffusionSegLib.errors import ModelError, OutputError
from DiffusionSegLib.progress import Progress

__all__ = ["Removable", "removable", "remove_all"]

_CARD, _WHEELS, _LICENCES = "model.json", "wheels", "licences.json"
_RATES = "rates.json"  # see planning/rates.py
_OURS = (".lock", ".part", ".hub")  # ends of hidden names that downloads and imports leave


@dataclass(frozen=True)
class Removable:
    """kind: "environment", "models", "packages" (wheels of a bundle), "licences" or "measurements";
    path: for people; paths: exactly what would go (of the environment: what its build made);
    bytes: on the disk."""

    title: str
    path: Path
    bytes: int
    kind: str
    paths: tuple[Path, ...] = ()


def removable(environment: IsolatedEnvironment | None = None) -> tuple[Removable, ...]:
    """What this program put on this computer, and where; empty when nothing.

    environment: None for the default one.
    """
    environment = environment or default_environment()
    found = []
    size = environment.size_bytes()
    if size:
        title = "The worker's own Python with its packages"
        found.append(Removable(title, environment.folder, size, "environment"))
    models, data = user_folder(), user_data_folder()
    found.append(_item("Measurements of this computer's speed", data / _RATES, "measurements"))
    if models.is_dir():
        found += _of_models(models)
        found += [
            _item("Packages of an imported bundle", models / _WHEELS, "packages"),
            _item("The record of accepted licences", models / _LICENCES, "licences"),
        ]
    return tuple(one for one in found if one.bytes)


def remove_all(items: Iterable[Removable], progress: Progress | None = None) -> int:
    """Bytes freed. Links are removed, never what they point to; nothing outside of this program's
    folders is touched. Raises OutputError with the file that is in use, InputError while the
    environment is being built, Cancelled between two files."""
    items, progress = list(items), progress or Progress.silent()
    freed = 0
    for number, item in enumerate(items):
        part = progress.part(
            number / len(items), (number + 1) / len(items), f"Removing {item.title}"
        )
        if item.kind == "environment":
            freed += remove(IsolatedEnvironment(item.path), part)
            continue
        for path in item.paths:
            part.report(0.0)
            freed += _delete(path, lambda size: progress.check())
    _tidy()
    progress.report(1.0)
    return freed


def _item(title: str, path: Path, kind: str, paths: tuple[Path, ...] | None = None) -> Removable:
    """paths: of it only these (None: all of it)."""
    wanted = (path,) if paths is None else paths
    safe = tuple(one for one in wanted if _lies_inside(one))
    size = sum(disk_bytes(one) for one in safe)
    return Removable(title, path, size, kind, safe)


def _of_models(models: Path) -> Iterator[Removable]:
    bundled = _bundled()
    for folder in sorted(path for path in models.glob("*/*") if path.is_dir()):
        name = f"{folder.parent.name}/{folder.name}"
        if folder.is_symlink() or folder.parent.is_symlink() or folder.name.startswith("."):
            continue
        if folder.parent.name == HUB_ROOM:
            if (folder / INDEX).is_file() or "--" in folder.name:
                title = f"Files of {folder.name.replace('--', '/', 1)} from the Hugging Face hub"
                yield _item(title, folder, "models")
        elif folder.parent.name != _WHEELS:
            entry = _entry(folder)
            if entry is not None and _came_by_us(entry):
                yield _item(f"The model {name}", folder, "models")
            elif entry is None and name in bundled:
                yield _item(
                    f"The weights of {name}", folder, "models", _weights(bundled[name], folder)
                )
    leftovers = tuple(path for path in models.rglob(".*") if path.name.endswith(_OURS))
    leftovers += tuple(models.glob("*/.removed-*"))
    # Those in folders that go as a whole are counted there.
    yield _item("What stopped downloads left", models, "models", _outside_rooms(leftovers, models))


def _outside_rooms(paths: tuple[Path, ...], models: Path) -> tuple[Path, ...]:
    kept = []
    for path in paths:
        parts = path.relative_to(models).parts
        if len(parts) <= 2 and parts[0] != _WHEELS:
            kept.append(path)
    return tuple(kept)


def _entry(folder: Path) -> ModelEntry | None:
    with suppress(ModelError):
        return read_manifest(folder / _CARD)
    return None


def _came_by_us(entry: ModelEntry) -> bool:
    retrievable = bool(entry.sources) or all(part.sources for part in entry.files)
    return retrievable and bool(entry.files) and is_accepted(entry)


def _bundled() -> dict[str, ModelEntry]:
    cards = [path for folder in bundled_folders() for path in folder.glob(f"*/*/{_CARD}")]
    entries = [entry for path in cards if (entry := _entry(path.parent)) is not None]
    return {entry.id: entry for entry in entries}


def _weights(entry: ModelEntry, folder: Path) -> tuple[Path, ...]:
    """The files of the card, and what a stopped download left beside them."""
    if (folder / _CARD).exists():  # a card that cannot be read is the user's as well
        return ()
    hidden = [path for path in folder.rglob(".*") if path.name.endswith(_OURS)]
    return (*(folder / part.path for part in entry.files), *hidden)


def _lies_inside(path: Path) -> bool:
    """In a folder of this program and none of these folders, without a link on the way."""
    roots = (user_folder().absolute(), user_data_folder().absolute())
    if any(path.absolute() in (root, *root.parents) for root in roots):
        return False
    for root in roots:
        if root in path.absolute().parents:
            inner = path.absolute().relative_to(root).parts[:-1]
            steps = [root.joinpath(*inner[: count + 1]) for count in range(len(inner))]
            return not any(step.is_symlink() for step in steps)
    return False


def _delete(path: Path, tell: Callable[[int], None]) -> int:
    if not _lies_inside(path):
        raise OutputError(
            f"{path} does not lie in a folder of this program, or a link leads there; it was not "
            "deleted. Delete it yourself if you want it gone."
        )
    freed = delete(path, tell)
    for folder in path.parents:  # empty ones go as well
        if folder in (user_folder(), user_data_folder()) or not _lies_inside(folder):
            break
        with suppress(OSError):
            folder.rmdir()
    return freed


def _tidy() -> None:
    """The program's own folders, when nothing is left in them; not one that the user chose."""
    own = user_data_folder()
    for folder in (user_folder(), own):
        if own in (folder, *folder.parents):
            with suppress(OSError):
                folder.rmdir()
