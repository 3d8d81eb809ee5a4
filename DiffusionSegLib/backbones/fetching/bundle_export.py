"""Writes an offline bundle: models, what they are built on, and the packages to run them."""

from __future__ import annotations

import hashlib
import platform
import sysconfig
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from DiffusionSegLib.backbones.fetching.bundle_index import (
    CONSTRAINTS,
    INSTALL,
    BundleIndex,
    Member,
    write_index,
)
from DiffusionSegLib.backbones.fetching.hub_copy import HubCopy, read_copy
from DiffusionSegLib.backbones.fetching.hub_parts import hub_parts, is_here, used_models
from DiffusionSegLib.backbones.fetching.space import check_space
from DiffusionSegLib.backbones.fetching.wheels import bring_wheels, constraints_text
from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.backbones.store import ModelStore, file_path
from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.io.atomic import atomic_file
from DiffusionSegLib.progress import Progress

__all__ = ["export_bundle", "with_used_models"]

_CARDS = ("CARD.md",)
_HOW = """\
On the computer without a network ({system}, Python {python}), in the folder of BUNDLE.zip:

python -m zipfile -e BUNDLE.zip bundle
python -m pip install --no-index --find-links bundle/wheels -c bundle/constraints.txt "{what}"
diffusionseg models import BUNDLE.zip
"""


def with_used_models(entries: Sequence[ModelEntry], store: ModelStore) -> list[ModelEntry]:
    """The models, and after them those in the store that they are built on."""
    known = {entry.id: entry for entry in store.list()}
    chosen = {entry.id: entry for entry in entries}
    for entry in entries:
        for name in used_models(entry):
            if name not in known:
                raise ModelError(f"The model {entry.id} is built on {name}, which is not here.")
            chosen.setdefault(name, known[name])
    return list(chosen.values())


def export_bundle(
    entries: Sequence[ModelEntry], path: Path, progress: Progress, wheels: bool = False
) -> BundleIndex:
    """A zip of the models, or, where something fails, nothing: path is complete or not there.

    Every file is compared with its sha256 while it is written. wheels: with the packages of this
    program for this system, CPU build. Raises ModelError for a model that is not whole here,
    OutputError, Cancelled.
    """
    copies = _copies(entries)
    with tempfile.TemporaryDirectory(prefix="diffusionseg-wheels-") as room:
        files: list[tuple[str, Path, str]] = []
        for entry in entries:
            files += _of_model(entry)
        for copy in copies:
            files += [
                (f"hub/{copy.folder.name}/{one.path}", copy.folder / one.path, one.sha256)
                for one in copy.files
            ]
        if wheels:
            files += _of_wheels(Path(room), bool(copies), progress.part(0.0, 0.5))
        size = sum(_size(file) for _, file, _ in files)
        check_space(path.parent, size, elsewhere="write the bundle to another disk")
        inner = progress.part(0.5 if wheels else 0.0, 1.0)
        return _write(path, files, [entry.id for entry in entries], copies, inner)


def _copies(entries: Sequence[ModelEntry]) -> list[HubCopy]:
    found: dict[str, HubCopy] = {}
    for entry in entries:
        for part in hub_parts(entry):
            copy = read_copy(part.source)
            if copy is None or not is_here(part):
                raise ModelError(
                    f"The model {entry.id} cannot be exported: its files from {part.source} are "
                    f"not in the folder of models; get them with 'diffusionseg models download "
                    f"{entry.id}'."
                )
            found[part.source] = copy
    return list(found.values())


def _of_model(entry: ModelEntry) -> list[tuple[str, Path, str]]:
    """Name in the bundle, file, sha256 or "" where it is not told."""
    place = f"models/{entry.method}/{entry.name}"
    files = [(f"{place}/{one.path}", file_path(entry, one), one.sha256) for one in entry.files]
    beside = [name for name in _CARDS if (entry.folder / name).is_file()]
    files += [(f"{place}/{name}", entry.folder / name, "") for name in beside]
    return [*files, (f"{place}/model.json", entry.folder / "model.json", "")]


def _of_wheels(room: Path, hub: bool, progress: Progress) -> list[tuple[str, Path, str]]:
    extras = "[text,hub]" if hub else "[text]"
    found = bring_wheels(room, f"DiffusionSeg{extras}", progress)
    (room / CONSTRAINTS).write_text(constraints_text(), "utf-8")
    python, system = ".".join(platform.python_version_tuple()[:2]), sysconfig.get_platform()
    words = _HOW.format(python=python, system=system, what=f"DiffusionSeg{extras}")
    (room / INSTALL).write_text(words, "utf-8")
    files = [(f"wheels/{one.name}", one, "") for one in found]
    return [*files, *((name, room / name, "") for name in (CONSTRAINTS, INSTALL))]


def _write(
    path: Path,
    files: Sequence[tuple[str, Path, str]],
    models: Sequence[str],
    copies: Sequence[HubCopy],
    progress: Progress,
) -> BundleIndex:
    total, done = sum(_size(file) for _, file, _ in files) or 1, 0
    members = []
    with atomic_file(path) as stream, zipfile.ZipFile(stream, "w") as archive:
        for name, file, sha256 in files:
            inner = progress.part(done / total, min(1.0, (done + _size(file)) / total), name)
            members.append(_add(archive, name, file, sha256, inner))
            done += _size(file)
        index = BundleIndex(tuple(models), tuple(_plain(copy) for copy in copies), tuple(members))
        write_index(archive, index)
    return index


def _add(
    archive: zipfile.ZipFile, name: str, file: Path, sha256: str, progress: Progress
) -> Member:
    digest, size, whole = hashlib.sha256(), 0, _size(file) or 1
    info = zipfile.ZipInfo(name)  # without a date, as the index
    try:
        with open(file, "rb") as source, archive.open(info, "w", force_zip64=True) as target:
            while block := source.read(1 << 20):
                digest.update(block)
                target.write(block)
                size += len(block)
                progress.report(size / whole)
    except FileNotFoundError as error:
        raise _not_whole(file) from error
    if sha256 and digest.hexdigest() != sha256:
        raise _not_whole(file)
    return Member(name, size, digest.hexdigest())


def _not_whole(file: Path) -> ModelError:
    return ModelError(
        f"The file {file} is missing or damaged, so that no bundle was written; see 'diffusionseg "
        "models verify', and download the model again."
    )


def _plain(copy: HubCopy) -> dict[str, object]:
    kept = ("source", "came_from", "revision", "listing", "uses")
    return {name: value for name, value in asdict(copy).items() if name in kept}


def _size(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 0
