"""A folder of wheels, or an offline bundle with wheels, to install from without a network."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from DiffusionSegLib.backbones.fetching.bundle_index import BAD_ZIP, read_index
from DiffusionSegLib.backbones.store import file_sha256
from DiffusionSegLib.environments.packages import Package
from DiffusionSegLib.environments.torch_builds import PYPI
from DiffusionSegLib.errors import InputError
from DiffusionSegLib.progress import Progress

__all__ = ["Wheel", "WheelSet", "read_wheels", "unpacked"]

_ROOM = "wheels/"
_AGAIN = "'diffusionseg models export --with-wheels'"


@dataclass(frozen=True)
class Wheel:
    """One file: name as PEP 503 writes it; size in bytes."""

    file: str
    name: str
    version: Version
    tags: frozenset[Tag]
    size: int


@dataclass(frozen=True)
class WheelSet:
    """source: the folder or the bundle."""

    source: Path
    wheels: tuple[Wheel, ...]

    @property
    def size(self) -> int:
        """Bytes of all."""
        return sum(one.size for one in self.wheels)

    def torch_build(self) -> str:
        """Of the torch in it: "cpu", "cu126", ... or "pypi" for the one that says nothing."""
        found = [one.version.local for one in self.wheels if one.name == "torch"]
        return next((local for local in found if local), PYPI)

    def fitting(
        self, packages: Sequence[Package], versions: Iterable[tuple[int, int]]
    ) -> list[tuple[int, int]]:
        """Of these versions of Python, those for which every package has a wheel for this system.

        Raises InputError, naming the package, when there is none.
        """
        versions = list(versions)
        lacking = {one: self._lacking(packages, one) for one in versions}
        found = [one for one in versions if not lacking[one]]
        if not found:
            nearest = min(versions, key=lambda one: len(lacking[one]))
            python = ".".join(map(str, nearest))
            raise InputError(
                f"The wheels in {self.source} do not fit this computer: for Python {python} they "
                f"lack {', '.join(lacking[nearest])}. Make them on a computer with the same "
                f"system: {_AGAIN}."
            )
        return found

    def _lacking(self, packages: Sequence[Package], python: tuple[int, int]) -> list[str]:
        short = f"cp{python[0]}{python[1]}"
        known = {*cpython_tags(python), *compatible_tags(python, short)}
        there = [one for one in self.wheels if one.tags & known]
        return [one.requirement for one in packages if not _is_in(there, one)]


def _is_in(wheels: Sequence[Wheel], package: Package) -> bool:
    wanted = Requirement(package.requirement)
    name = canonicalize_name(wanted.name)
    return any(
        one.name == name and wanted.specifier.contains(one.version, prereleases=True)
        for one in wheels
    )


def read_wheels(source: Path) -> WheelSet:
    """Names only. Raises InputError when there are none, ModelError for a damaged bundle."""
    if source.is_dir():
        files = {path.name: path.stat().st_size for path in source.glob("*.whl")}
    elif source.is_file():
        with _bundle(source) as archive:
            index = read_index(archive, source)
        files = {one.name[len(_ROOM) :]: one.size for one in index.within("wheels")}
    else:
        raise InputError(f"There is no folder or bundle {source}; check its name.")
    wheels = [found for name, size in sorted(files.items()) if (found := _wheel(name, size))]
    if not wheels:
        raise InputError(f"There are no wheels in {source}; make them with {_AGAIN}.")
    return WheelSet(source, tuple(wheels))


def unpacked(source: Path, room: Path, progress: Progress) -> Path:
    """A folder with the wheels: the source itself, or room, into which a bundle's are written, each
    compared with its sha256; what is there and whole stays. Raises InputError, and OSError for the
    disk."""
    if source.is_dir():
        return source
    with _bundle(source) as archive:
        members = read_index(archive, source).within("wheels")
        total = sum(one.size for one in members) or 1
        done = 0
        for member in members:
            target = room / member.name[len(_ROOM) :]
            whole = target.is_file() and target.stat().st_size == member.size
            if not (whole and file_sha256(target, progress) == member.sha256):
                _extract(archive, member.name, target, progress.part(done / total, done / total))
                if file_sha256(target, progress) != member.sha256:
                    target.unlink()
                    raise InputError(
                        f"The bundle {source} is damaged in {member.name}; copy it again."
                    )
            done += member.size
            progress.report(min(1.0, done / total), f"Unpacking {target.name}")
    return room


def _bundle(source: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(source)
    except BAD_ZIP as error:
        raise InputError(
            f"The bundle {source} cannot be read ({error}): it is cut off or no bundle. Copy it "
            "again."
        ) from error


def _extract(archive: zipfile.ZipFile, name: str, target: Path, progress: Progress) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(name) as origin, open(target, "wb") as stream:
            while block := origin.read(1 << 20):
                progress.check()
                stream.write(block)
    except OSError:  # the disk; told by whoever knows what it was for
        raise
    except BAD_ZIP as error:
        raise InputError(
            f"The bundle {archive.filename} is damaged in {name} ({error}); copy it again."
        ) from error


def _wheel(file: str, size: int) -> Wheel | None:
    try:
        name, version, _, tags = parse_wheel_filename(file)
    except InvalidWheelFilename:
        return None
    return Wheel(file, name, version, tags, size)
