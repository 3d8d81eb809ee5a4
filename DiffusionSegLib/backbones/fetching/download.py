"""Everything a model needs, brought here from its sources."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from DiffusionSegLib.backbones.fetching.hub_parts import HubPart, hub_parts
from DiffusionSegLib.backbones.fetching.hub_transfer import (
    fetch_hub_file,
    fetch_part,
    whole_copy,
)
from DiffusionSegLib.backbones.fetching.licences import check_accepted
from DiffusionSegLib.backbones.fetching.lock import one_at_a_time
from DiffusionSegLib.backbones.fetching.space import check_space, disk_error
from DiffusionSegLib.backbones.fetching.transfer import (
    Patience,
    SourceFailure,
    Wanted,
    fetch_url,
    partial_path,
    put_in_place,
)
from DiffusionSegLib.backbones.manifest import ModelEntry, ModelFile
from DiffusionSegLib.backbones.sources import Source, in_source, web_address
from DiffusionSegLib.backbones.store import file_path, file_sha256
from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.progress import Progress

__all__ = ["MIRROR", "copy_checked", "download_model", "is_whole", "missing_items"]

MIRROR = "DIFFUSIONSEG_MIRROR"  # an address under which each model lies as METHOD/NAME/FILE


def download_model(
    entry: ModelEntry,
    progress: Progress,
    half: bool = False,
    mirror: str | None = None,
    patience: Patience | None = None,
) -> int:
    """Whatever of the model is not here, or not whole. How many files and repositories came.

    half: of hub models the half-precision files. mirror: an address that is asked first, by default
    that of DIFFUSIONSEG_MIRROR. What is here and whole is never touched; a file takes its place
    only after its size and sha256 were compared with the card's. Raises ModelError (a licence that
    was not accepted, no source that works), OutputError (the disk), Cancelled.
    """
    mirror = mirror or os.environ.get(MIRROR, "").strip()
    mirror = web_address(mirror) if mirror else None
    files, parts = missing_items(entry, half, progress)
    if not files and not parts:
        return 0
    check_accepted(entry)
    check_space(file_path(entry, files[0]).parent if files else entry.folder,
                sum(one.size for one in files) - _begun(entry, files))  # fmt: skip
    patience = patience or Patience.of_environment()
    count = len(files) + len(parts)
    for number, file in enumerate(files):
        inner = progress.part(number / count, (number + 1) / count)
        _bring(entry, file, mirror, patience, inner)
    for number, part in enumerate(parts, len(files)):
        inner = progress.part(number / count, (number + 1) / count)
        fetch_part(part, half, inner, patience.lowest)
    progress.report(1.0)
    return count


def missing_items(
    entry: ModelEntry, half: bool, progress: Progress
) -> tuple[list[ModelFile], list[HubPart]]:
    """What a download would bring: files and repositories that are not here, or not whole."""
    files = [one for one in entry.files if not is_whole(entry, one, progress)]
    return files, [one for one in hub_parts(entry) if whole_copy(one, half, progress) is None]


def is_whole(entry: ModelEntry, part: ModelFile, progress: Progress | None = None) -> bool:
    """Whether a file is here with the size and the sha256 of the card."""
    path = file_path(entry, part)
    if not path.is_file() or path.stat().st_size != part.size:
        return False
    return file_sha256(path, progress) == part.sha256


def copy_checked(origin: Path, wanted: Wanted, progress: Progress) -> None:
    """A file from a local folder, by way of a partial file. Raises SourceFailure, OutputError."""
    if not os.path.isfile(origin):
        raise SourceFailure("there is no such file")
    if origin.stat().st_size != wanted.size:
        raise SourceFailure(f"it has {origin.stat().st_size} bytes instead of {wanted.size}")
    part = partial_path(wanted)
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        with open(origin, "rb") as source, open(part, "wb") as target:
            while block := source.read(1 << 20):
                target.write(block)
                progress.report(target.tell() / wanted.size, wanted.target.name)
            target.flush()
            os.fsync(target.fileno())
        good = put_in_place(wanted, part, progress)
    except OSError as error:
        raise disk_error(wanted.target, error) from error
    if not good:
        raise SourceFailure("it is another file (wrong sha256)")


def _begun(entry: ModelEntry, files: list[ModelFile]) -> int:
    """Bytes in partial files."""
    parts = [partial_path(_wanted(entry, part)) for part in files]
    return sum(part.stat().st_size for part in parts if part.is_file())


def _wanted(entry: ModelEntry, part: ModelFile) -> Wanted:
    return Wanted(file_path(entry, part), part.size, part.sha256)


def _bring(
    entry: ModelEntry, part: ModelFile, mirror: str | None, patience: Patience, progress: Progress
) -> None:
    """From the first source that has it."""
    wanted = _wanted(entry, part)
    sources = [one if one.kind == "url" else in_source(one, part.path) for one in part.sources]
    sources += [in_source(one, part.path) for one in entry.sources]
    if mirror:
        base = Source("url", f"{mirror.rstrip('/')}/{entry.id}")
        sources.insert(0, in_source(base, part.path))
    reasons = []
    with one_at_a_time(wanted.target, progress) as waited:
        if waited and is_whole(entry, part, progress):
            return
        for source in sources:
            try:
                _from(source, entry.folder, wanted, patience, progress)
                return
            except SourceFailure as failure:
                reasons.append(f"{source}: {failure}")
    if not sources:
        raise ModelError(
            f"The file {part.path} of {entry.id} is not here, and its card names no source of it; "
            f"put it into {entry.folder}, or import a bundle."
        )
    raise ModelError(
        f"The file {part.path} of {entry.id} could not be downloaded ({'; '.join(reasons)}). "
        "Check the network and the proxy (HTTPS_PROXY), name a mirror with --mirror, or import an "
        "offline bundle. What came so far is kept, and goes on from there."
    )


def _from(
    source: Source, folder: Path, wanted: Wanted, patience: Patience, progress: Progress
) -> None:
    if source.kind == "url":
        fetch_url(wanted, source.where, patience, progress)
    elif source.kind == "folder":
        origin = folder / os.path.expanduser(source.where) / source.path
        copy_checked(origin, wanted, progress)
    else:
        room = wanted.target.parent / f".{wanted.target.name}.hub"
        check_space(room, wanted.size)
        origin = fetch_hub_file(source.where, source.path, room, progress, patience.lowest)
        try:
            os.replace(origin, partial_path(wanted))
            good = put_in_place(wanted, partial_path(wanted), progress)
        except OSError as error:
            raise disk_error(wanted.target, error) from error
        shutil.rmtree(room, ignore_errors=True)
        if not good:
            raise SourceFailure("it is another file (wrong sha256)")
