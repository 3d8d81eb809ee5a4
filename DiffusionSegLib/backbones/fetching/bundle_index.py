"""What an offline bundle says of itself: its models, and size and sha256 of every member."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from DiffusionSegLib.backbones.sources import HUB_ID
from DiffusionSegLib.errors import ModelError

__all__ = [
    "BAD_ZIP", "CONSTRAINTS", "INDEX_NAME", "INSTALL", "BundleIndex", "Member", "read_index",
    "write_index",
]  # fmt: skip

# What reading a damaged zip may raise.
BAD_ZIP = (
    zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError,
    ValueError,
)  # fmt: skip
INDEX_NAME = "bundle.json"
CONSTRAINTS, INSTALL = "constraints.txt", "INSTALL.txt"
_FORMAT = 1
_ROOMS = ("models", "hub", "wheels")
# What Windows takes for a device, whatever folder it is said to be in and however it ends.
_DEVICES = frozenset({"CON", "PRN", "AUX", "NUL"}) | {
    f"{port}{number}" for port in ("COM", "LPT") for number in range(1, 10)
}
_LARGEST_INDEX = 50_000_000


@dataclass(frozen=True)
class Member:
    """A file in the bundle. name: "models/METHOD/NAME/...", "hub/...", "wheels/..."."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class BundleIndex:
    """models: ids. repositories: of the hub, as hub_copy's index without its files' times."""

    models: tuple[str, ...]
    repositories: tuple[dict[str, Any], ...]
    members: tuple[Member, ...]

    def within(self, room: str) -> list[Member]:
        """The members whose names begin with "room/"."""
        return [one for one in self.members if one.name.startswith(f"{room}/")]


def write_index(archive: zipfile.ZipFile, index: BundleIndex) -> None:
    """As the last member."""
    values = {"format": _FORMAT, **asdict(index)}
    info = zipfile.ZipInfo(INDEX_NAME)  # the date is always the same: same content, same bundle
    archive.writestr(info, json.dumps(values, indent=1, ensure_ascii=False) + "\n")


def read_index(archive: zipfile.ZipFile, path: Path) -> BundleIndex:
    """Checked: every member is listed once and lies inside; raises ModelError."""
    try:
        told = archive.getinfo(INDEX_NAME)
        if told.file_size > _LARGEST_INDEX or told.compress_type != zipfile.ZIP_STORED:
            raise ValueError(f"its {INDEX_NAME} is too large or compressed")
        values = json.loads(archive.read(INDEX_NAME).decode("utf-8"))
        _check_format(values["format"], path)
        members = tuple(_member(one) for one in values["members"])
        repositories = tuple(_repository(one) for one in values["repositories"])
        index = BundleIndex(tuple(map(str, values["models"])), repositories, members)
        _compare(archive.infolist(), members)
    except KeyError as error:
        raise ModelError(f"{path} is no bundle of models: {error} is missing in it.") from error
    except (TypeError, AttributeError, *BAD_ZIP) as error:
        raise ModelError(f"The bundle {path} is not usable: {error}. Copy it again.") from error
    return index


def _check_format(told: Any, path: Path) -> None:
    if isinstance(told, int) and told > _FORMAT:
        raise ModelError(
            f"The bundle {path} was made by a newer version of this program (format {told}); "
            "update this one, or make the bundle with the same version."
        )
    if told != _FORMAT:
        raise ValueError(f"its format {told!r} is not known here")


def _member(values: Any) -> Member:
    member = Member(**values)
    if not isinstance(member.size, int) or member.size < 0 or not _is_inside(member.name):
        raise ValueError(f"its member {member.name!r} would lie outside the folder of models")
    return member


def _is_inside(name: str) -> bool:
    """Names for files of this program only, whatever system they are unpacked on."""
    parts = name.split("/")
    plain = all(part and part == part.strip(" ") and not part.endswith(".") for part in parts)
    strange = set(name) & set('\\:*?"<>|') or not name.isprintable()
    devices = {part.partition(".")[0].strip().upper() for part in parts} & _DEVICES
    known = (parts[0] in _ROOMS and len(parts) > 1) or name in (CONSTRAINTS, INSTALL)
    return plain and not strange and not devices and known


def _repository(values: Any) -> dict[str, Any]:
    if not HUB_ID.fullmatch(values["source"]):
        raise ValueError(f"its repository {values['source']!r} is no hub id")
    for name in ("came_from", "revision"):
        if not isinstance(values[name], str):
            raise ValueError(f"the {name} of {values['source']} is no text")
    return {
        **{name: values[name] for name in ("source", "came_from", "revision")},
        **{name: [str(one) for one in values[name]] for name in ("listing", "uses")},
    }


def _compare(there: Sequence[zipfile.ZipInfo], members: Sequence[Member]) -> None:
    names = [one.filename for one in there]
    if any(one.compress_type != zipfile.ZIP_STORED for one in there):
        raise ValueError("its members are compressed, as this program never does")
    listed = [one.name for one in members] + [INDEX_NAME]
    if len(set(map(str.lower, names))) != len(names):
        raise ValueError("a member is in it twice")
    surplus, lost = set(names) - set(listed), set(listed) - set(names)
    if surplus or lost or len(listed) != len(names):
        which = sorted(surplus or lost or names)[0]
        raise ValueError(f"its list and its members differ, for example in {which!r}")
    sizes = {one.filename: one.file_size for one in there}
    wrong = [one.name for one in members if sizes[one.name] != one.size]
    if wrong:
        raise ValueError(f"{wrong[0]!r} has another size than its list says")
