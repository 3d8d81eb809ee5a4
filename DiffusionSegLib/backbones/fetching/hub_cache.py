"""What the hub's own library keeps in its cache on this computer; it is read and never changed."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from DiffusionSegLib.backbones.fetching.hub_sums import Announced
from DiffusionSegLib.progress import Progress

__all__ = ["Snapshot", "cached_blob", "find_snapshot", "seems_cached", "take_over"]

_COMMIT = re.compile(r"\w+")
_SHA256, _SHA1 = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{40}")
_WEIGHTS = (".safetensors", ".pt", ".pth", ".bin")


@dataclass(frozen=True)
class Snapshot:
    """A repository's files at one commit, by their path."""

    commit: str
    folder: Path
    names: tuple[str, ...]

    def announced(self, path: str, card: str) -> Announced:
        """With the sum that the hub told when the file came: the cache calls the file by it. Where
        there are no links, and behind some mirrors, it does not."""
        file = self.folder / path
        blob = os.path.basename(os.readlink(file)) if file.is_symlink() else ""
        sha256 = blob if _SHA256.fullmatch(blob) else ""
        sha1 = blob if _SHA1.fullmatch(blob) else ""
        return Announced(path, file.stat().st_size, sha256, sha1, card)


def find_snapshot(source: str, revision: str) -> Snapshot | None:
    """What the cache has of "org/name" at a revision, "" for the newest that was fetched."""
    room = _room(source)
    try:
        commit = (room / "refs" / (revision or "main")).read_text("utf-8").strip()
    except (OSError, ValueError):
        commit = revision
    folder = room / "snapshots" / commit
    if not _COMMIT.fullmatch(commit) or not folder.is_dir():
        return None
    files = (path for path in folder.rglob("*") if path.is_file())
    return Snapshot(
        commit, folder, tuple(sorted(one.relative_to(folder).as_posix() for one in files))
    )


def seems_cached(source: str) -> bool:
    """Whether there are weights of the repository, whatever they are for; reads no file."""
    found = (_room(source) / "snapshots").rglob("*")
    return any(path.suffix in _WEIGHTS and path.is_file() for path in found)


def cached_blob(source: str, one: Announced) -> Path | None:
    """The file of that sum, of whatever revision."""
    for name in (one.card, one.sha256, one.sha1):
        blob = _room(source) / "blobs" / name
        if name and blob.is_file():
            return blob
    return None


def take_over(file: Path, target: Path, progress: Progress) -> None:
    """The file under a second name, which stays when the cache is emptied; a copy where the disk
    has no such names or is another one. Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.taken")
    part.unlink(missing_ok=True)
    origin = Path(os.path.realpath(file))
    try:
        try:
            os.link(origin, part)
        except OSError:
            _copy(origin, part, progress)
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def _copy(origin: Path, part: Path, progress: Progress) -> None:
    with open(origin, "rb") as source, open(part, "wb") as out:
        size = os.fstat(source.fileno()).st_size or 1
        while block := source.read(1 << 20):
            out.write(block)
            progress.report(out.tell() / size)
        out.flush()
        os.fsync(out.fileno())
    shutil.copystat(origin, part)


def _room(source: str) -> Path:
    name = source.partition("@")[0].replace("/", "--")
    return _cache() / f"models--{name}"


def _cache() -> Path:
    """Of huggingface_hub, whose import takes too long for a list."""
    room = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    home = os.environ.get("HF_HOME") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or "~/.cache", "huggingface"
    )
    return Path(os.path.expanduser(room or os.path.join(home, "hub")))
