"""Takes models out of an offline bundle; what is there and good stays."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from DiffusionSegLib.backbones.fetching.bundle_index import (
    BAD_ZIP,
    BundleIndex,
    Member,
    read_index,
)
from DiffusionSegLib.backbones.fetching.hub_copy import (
    INDEX,
    CopiedFile,
    HubCopy,
    read_copy,
    write_copy,
)
from DiffusionSegLib.backbones.fetching.hub_parts import hub_parts
from DiffusionSegLib.backbones.fetching.licences import check_accepted
from DiffusionSegLib.backbones.fetching.lock import one_at_a_time
from DiffusionSegLib.backbones.fetching.space import check_space, disk_error, make_folder
from DiffusionSegLib.backbones.fetching.transfer import Wanted, partial_path, put_in_place
from DiffusionSegLib.backbones.manifest import ModelEntry, parse_manifest, read_manifest
from DiffusionSegLib.backbones.places import hub_room, user_folder
from DiffusionSegLib.backbones.store import ModelStore, file_path, file_sha256
from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.progress import Progress

__all__ = ["Bundle", "Imported", "import_bundle", "open_bundle"]

_CARD = "model.json"


@dataclass(frozen=True)
class Bundle:
    """A bundle that was looked at: its index, and the cards of its models."""

    path: Path
    index: BundleIndex
    entries: tuple[ModelEntry, ...]


@dataclass
class Imported:
    """models: ids; wheels: the folder with packages, if there were any; written: files that were
    not here before."""

    models: list[str] = field(default_factory=list)
    wheels: Path | None = None
    written: int = 0


def open_bundle(path: Path) -> Bundle:
    """Looks at the list and the cards; writes nothing. Raises ModelError."""
    with _archive(path) as archive:
        index = read_index(archive, path)
        entries = [_entry(archive, member, path) for member in _cards(index)]
    told = {entry.id for entry in entries}
    if told != set(index.models):
        raise ModelError(f"The bundle {path} is not usable: it lacks cards of its models.")
    for entry in entries:
        _check_files(entry, index, path)
        _check_pins(entry, index, path)
    return Bundle(path, index, tuple(entries))


def import_bundle(bundle: Bundle, progress: Progress, replace: bool = False) -> Imported:
    """Everything that is not here yet, each file checked before it takes its place.

    Can be repeated, also after it was stopped. replace: also whole models of the same id that are
    others. The licences must have been accepted (see licences.py). Raises ModelError, OutputError,
    Cancelled.
    """
    for entry in bundle.entries:
        check_accepted(entry)
    if not replace:
        for entry in bundle.entries:
            _check_other(entry, bundle)
    places = _places(bundle, replace)
    make_folder(user_folder())
    done = Imported([entry.id for entry in bundle.entries])
    with _archive(bundle.path) as archive, one_at_a_time(user_folder() / "import", progress):
        missing = [(one, to) for one, to in places if not _is_good(to, one, progress)]
        check_space(user_folder(), sum(one.size for one, _ in missing))
        total, before = sum(one.size for one, _ in missing) or 1, 0
        for member, target in missing:
            inner = progress.part(
                before / total, min(1.0, (before + member.size) / total), member.name
            )
            _extract(archive, member, target, inner, bundle.path)
            before, done.written = before + member.size, done.written + 1
    for values in bundle.index.repositories:
        _make_known(values, bundle.index)
    if bundle.index.within("wheels"):
        done.wheels = user_folder() / "wheels"
    progress.report(1.0)
    return done


def _archive(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except FileNotFoundError as error:
        raise ModelError(f"There is no bundle {path}; check its name.") from error
    except IsADirectoryError as error:
        raise ModelError(f"{path} is a folder; name the bundle's zip in it.") from error
    except BAD_ZIP as error:
        raise ModelError(
            f"The bundle {path} cannot be read ({error}): it is cut off or no bundle. Copy it "
            "again."
        ) from error


def _cards(index: BundleIndex) -> list[Member]:
    return [one for one in index.within("models") if one.name.count("/") == 3
            and one.name.endswith(f"/{_CARD}")]  # fmt: skip


def _entry(archive: zipfile.ZipFile, member: Member, path: Path) -> ModelEntry:
    target = user_folder() / member.name.partition("/")[2]
    try:
        content = archive.read(member.name)
    except BAD_ZIP as error:
        raise _damaged(path, member, error) from error
    entry = parse_manifest(content, target)
    if target.parent != user_folder() / entry.method / entry.name:
        raise ModelError(f"The bundle {path} is not usable: {member.name} is of {entry.id}.")
    return entry


def _check_files(entry: ModelEntry, index: BundleIndex, path: Path) -> None:
    """The list and the card must agree, so that nothing else can be put in a model's place."""
    listed = {one.name: one for one in index.members}
    for part in entry.files:
        one = listed.get(f"models/{entry.id}/{part.path}")
        if one is None or (one.size, one.sha256) != (part.size, part.sha256):
            raise ModelError(
                f"The bundle {path} is not usable: {part.path} of {entry.id} is not in it as the "
                "model's card describes it. Make it again."
            )


def _check_pins(entry: ModelEntry, index: BundleIndex, path: Path) -> None:
    """Files of a repository are the card's, where it lists their sha256."""
    gave = {one["source"]: one["came_from"] for one in index.repositories}
    for part in hub_parts(entry):
        room = f"hub/{hub_room(part.source).name}"
        for member in index.within(room):
            name = member.name.removeprefix(f"{room}/")
            card = part.sha256_of(gave.get(part.source, part.source), name)
            if card not in ("", member.sha256):
                raise ModelError(
                    f"The bundle {path} is not usable: {name} of {part.source} in it is another "
                    f"file than the card of {entry.id} lists. Make it again."
                )


def _check_other(entry: ModelEntry, bundle: Bundle) -> None:
    """A whole model of the same id in the user's folder is not replaced unasked."""
    card = entry.folder / _CARD
    if not card.is_file():
        return
    try:
        there = read_manifest(card)
        ModelStore([]).verify(there)
    except ModelError:
        return
    # Where case does not count, another model may have the same folder.
    same = (there.id, there.files, there.settings) == (entry.id, entry.files, entry.settings)
    if not same:
        raise ModelError(
            f"There is another model {entry.id} in {entry.folder}, and it is whole; nothing was "
            f"imported. Import with --replace to exchange it for the one in {bundle.path}, or "
            "rename it first."
        )


def _places(bundle: Bundle, replace: bool) -> list[tuple[Member, Path]]:
    """Of each member its file; cards come last, so that no half model is ever listed."""
    places: list[tuple[Member, Path]] = []
    for member in bundle.index.within("wheels"):
        places.append((member, user_folder() / member.name))
    for values in bundle.index.repositories:
        if replace or not _has(values):
            _check_revision(values, replace)
            room = hub_room(values["source"])
            for member in bundle.index.within(f"hub/{room.name}"):
                path = member.name.split("/", 2)[2]
                if path != INDEX:  # which is written here, of what was checked
                    places.append((member, room / path))
    for entry in bundle.entries:
        places += _of_model(entry, bundle.index)
    return places


def _of_model(entry: ModelEntry, index: BundleIndex) -> list[tuple[Member, Path]]:
    """What came with the program is taken from there, if it is the same model."""
    own = _bundled_twin(entry)
    members = index.within(f"models/{entry.id}")
    if own is not None:
        paths = {f"models/{entry.id}/{one.path}": file_path(own, one) for one in own.files}
        return [(one, paths[one.name]) for one in members if one.name in paths]
    targets = [(one, user_folder() / one.name.partition("/")[2]) for one in members]
    return sorted(targets, key=lambda place: place[1].name == _CARD)


def _bundled_twin(entry: ModelEntry) -> ModelEntry | None:
    from DiffusionSegLib.backbones.store import is_bundled

    there = ModelStore().survey().entries.get(entry.id)
    same = there is not None and there.files == entry.files and there.settings == entry.settings
    return there if there is not None and same and is_bundled(there) else None


def _has(values: dict[str, object]) -> bool:
    """Whether a repository is here for the same uses, and whole."""
    copy = read_copy(str(values["source"]))
    if copy is None or not set(_texts(values["uses"])) <= set(copy.uses):
        return False
    try:
        copy.check(thorough=True)
    except ModelError:
        return False
    return True


def _check_revision(values: dict[str, object], replace: bool) -> None:
    copy = read_copy(str(values["source"]))
    if copy is None or replace or copy.revision == values["revision"]:
        return
    try:
        copy.check()
    except ModelError:
        return
    raise ModelError(
        f"Another revision of {values['source']} is in {copy.folder}, and it is whole; nothing was "
        "imported. Import with --replace to exchange it."
    )


def _make_known(values: dict[str, object], index: BundleIndex) -> None:
    """The index of a repository, after its files are in place."""
    source = str(values["source"])
    if _has(values):
        return
    room, here = hub_room(source), read_copy(source)
    files = {} if here is None or here.revision != values["revision"] else {
        one.path: one for one in here.files
    }  # fmt: skip
    for member in index.within(f"hub/{room.name}"):
        path = member.name.split("/", 2)[2]
        if path == INDEX:
            continue
        told = (room / path).stat()
        files[path] = CopiedFile(path, member.size, member.sha256, told.st_mtime_ns, "bundle")
    uses = (*(here.uses if here and files else ()), *_texts(values["uses"]))
    write_copy(
        HubCopy(
            source, str(values["came_from"]), str(values["revision"]), _texts(values["listing"]),
            tuple(dict.fromkeys(uses)), tuple(files.values()), room,
        )
    )  # fmt: skip


def _texts(values: object) -> tuple[str, ...]:
    return tuple(map(str, values)) if isinstance(values, Sequence) else ()


def _is_good(target: Path, member: Member, progress: Progress) -> bool:
    if not target.is_file() or target.stat().st_size != member.size:
        return False
    return file_sha256(target, progress) == member.sha256


def _extract(
    archive: zipfile.ZipFile, member: Member, target: Path, progress: Progress, path: Path
) -> None:
    """By way of a partial file, which a stopped import left and this one goes on with."""
    wanted = Wanted(target, member.size, member.sha256)
    part = partial_path(wanted)
    with ExitStack() as stack:
        try:
            part.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(one_at_a_time(target, progress))
            for fresh in (False, True):
                if fresh:
                    part.unlink(missing_ok=True)
                with open(part, "ab") as out:
                    _append(archive, member, out, progress, path)
                if put_in_place(wanted, part, progress):
                    return
        except OSError as error:
            raise disk_error(target, error) from error
    raise _damaged(path, member, "wrong sha256")


def _append(
    archive: zipfile.ZipFile, member: Member, out: IO[bytes], progress: Progress, path: Path
) -> None:
    have: int | None = out.tell()
    if have is not None and have > member.size:
        out.truncate(0)
        have = 0
    try:
        source = archive.open(member.name)
    except BAD_ZIP as error:
        raise _damaged(path, member, error) from error
    with source:
        while block := _block(source, have, member, path):
            out.write(block[: max(0, member.size - out.tell())])
            progress.report(out.tell() / max(1, member.size))
            have = None
    out.flush()
    os.fsync(out.fileno())


def _block(source: IO[bytes], start: int | None, member: Member, path: Path) -> bytes:
    """The next one, or the one at start."""
    try:
        if start is not None:
            source.seek(start)
        return source.read(1 << 20)
    except BAD_ZIP as error:
        raise _damaged(path, member, error) from error


def _damaged(path: Path, member: Member, error: object) -> ModelError:
    return ModelError(
        f"The bundle {path} is damaged in {member.name} ({error}); that file was not taken, and "
        "what was here before is unchanged. Copy the bundle again and import it once more."
    )
