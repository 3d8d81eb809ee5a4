"""Fetches a repository's files with the hub's own library, and checks what came."""

from __future__ import annotations

import hashlib
import inspect
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any, TypeVar

from DiffusionSegLib.backbones.fetching.hub_copy import CopiedFile, HubCopy, read_copy, write_copy
from DiffusionSegLib.backbones.fetching.hub_parts import HubPart
from DiffusionSegLib.backbones.fetching.lock import one_at_a_time
from DiffusionSegLib.backbones.fetching.space import (
    check_space,
    disk_error,
    is_of_the_disk,
    shown_bytes,
)
from DiffusionSegLib.backbones.fetching.tokens import hub_token
from DiffusionSegLib.backbones.fetching.transfer import SourceFailure
from DiffusionSegLib.backbones.latent_diffusion.libraries import optional_module
from DiffusionSegLib.backbones.places import hub_room
from DiffusionSegLib.backbones.store import file_sha256
from DiffusionSegLib.errors import Cancelled, DiffusionSegError, ModelError
from DiffusionSegLib.progress import Progress

__all__ = ["fetch_hub_file", "fetch_part"]

_LOOK_S = 0.1
T = TypeVar("T")


@dataclass(frozen=True)
class _HubFile:
    """What the hub announces of a file. sha256 of large ones, git's sha1 of small ones."""

    path: str
    size: int
    sha256: str
    sha1: str


def fetch_part(part: HubPart, half: bool, progress: Progress) -> HubCopy:
    """A repository's files for one use, in the folder of models; the first source that works.

    half: half-precision files where there are any. Files are known only after they were compared
    with the sums that the hub announces. Raises ModelError, OutputError, Cancelled.
    """
    reasons = []
    with one_at_a_time(hub_room(part.source)):
        here = read_copy(part.source)
        for source in (here.came_from,) if here else (part.source, *part.alternatives):
            try:
                return _fetch(part, source, here, half, progress)
            except SourceFailure as failure:
                reasons.append(f"{source}: {failure}")
    raise ModelError(
        f"The model {part.source!r} could not be fetched from the Hugging Face hub "
        f"({'; '.join(reasons)}). Check the network and the proxy, set HF_TOKEN if its licence has "
        "to be accepted on its page, HF_ENDPOINT for a mirror, or import an offline bundle. What "
        "came so far is kept."
    )


def fetch_hub_file(source: str, path: str, folder: Path, progress: Progress) -> Path:
    """One file of a repository into ``folder``, unchecked. Raises SourceFailure, Cancelled."""
    hub = optional_module("huggingface_hub")
    name, _, revision = source.partition("@")
    return _download(hub, name, revision or None, path, folder, lambda count: progress.check())


def _fetch(
    part: HubPart, source: str, here: HubCopy | None, half: bool, progress: Progress
) -> HubCopy:
    hub, folder = optional_module("huggingface_hub"), hub_room(part.source)
    name, _, told = source.partition("@")
    # What is here stays of one revision.
    revision = here.revision if here else told or None
    commit, listed = _listing(hub, name, revision, progress)
    wanted = [listed[path] for path in part.chooser()(list(listed), half)]
    if not wanted:
        raise SourceFailure(f"it has no files for the use as {part.use}")
    missing = [one for one in wanted if not _is_there(folder, one)]
    check_space(folder, sum(one.size for one in missing))
    files = {one.path: one for one in here.files} if here else {}
    done, total = 0, sum(one.size for one in wanted) or 1
    for one in wanted:
        inner = progress.part(done / total, (done + one.size) / total)
        files[one.path] = _brought(hub, name, commit, one, folder, inner)
        done += one.size
    uses = tuple(dict.fromkeys((*(here.uses if here else ()), part.use)))
    copy = HubCopy(part.source, source, commit, tuple(listed), uses, tuple(files.values()), folder)
    write_copy(copy)
    return copy


def _listing(
    hub: Any, name: str, revision: str | None, progress: Progress
) -> tuple[str, dict[str, _HubFile]]:
    api = hub.HfApi(endpoint=_endpoint(), token=hub_token() or False)
    told = _beside(
        lambda: api.model_info(name, revision=revision, files_metadata=True, timeout=30), progress
    )
    files = {}
    for one in told.siblings or ():
        large = one.lfs or {}
        sha256 = large.get("sha256", "") if isinstance(large, dict) else large.sha256
        files[one.rfilename] = _HubFile(one.rfilename, one.size or 0, sha256, one.blob_id or "")
    return str(told.sha), files


def _brought(
    hub: Any, name: str, commit: str, one: _HubFile, folder: Path, progress: Progress
) -> CopiedFile:
    """One file, checked; what is there already is only checked."""
    came = 0

    def report(count: int) -> None:
        nonlocal came
        came += count
        words = f"{one.path}: {shown_bytes(min(came, one.size))} of {shown_bytes(one.size)}"
        progress.report(came / one.size if one.size else 1.0, words)

    path = folder / one.path
    try:
        sha256 = _good(path, one, progress)
        if sha256 is None:
            path.unlink(missing_ok=True)  # else the library would take it for what it is not
            _download(hub, name, commit, one.path, folder, report)
            sha256 = _good(path, one, progress)
        if sha256 is None:
            path.unlink(missing_ok=True)
            raise SourceFailure(f"{one.path} is not what the hub announces (wrong checksum)")
        told = path.stat()
    except OSError as error:
        raise disk_error(path, error) from error
    return CopiedFile(one.path, told.st_size, sha256, told.st_mtime_ns)


def _good(path: Path, one: _HubFile, progress: Progress) -> str | None:
    """The sha256 of a file that is what the hub announces, else None."""
    if not path.is_file():
        return None
    sha256 = file_sha256(path, progress)
    return sha256 if _is_announced(path, one, sha256) else None


def _is_there(folder: Path, one: _HubFile) -> bool:
    path = folder / one.path
    return path.is_file() and path.stat().st_size == one.size


def _is_announced(path: Path, one: _HubFile, sha256: str) -> bool:
    if path.stat().st_size != one.size:
        return False
    if one.sha256 or not one.sha1:
        return not one.sha256 or sha256 == one.sha256
    content = path.read_bytes()  # small: large files have a sha256
    blob = b"blob %d\0" % len(content) + content  # as git names a file
    return hashlib.sha1(blob, usedforsecurity=False).hexdigest() == one.sha1


def _download(
    hub: Any,
    name: str,
    revision: str | None,
    path: str,
    folder: Path,
    report: Callable[[int], None],
) -> Path:
    """By the hub's library, which resumes; looked after from here, so that it can be left."""
    left, counts = threading.Event(), _Counts()

    class Bar(hub.utils.tqdm):  # type: ignore[misc]
        """Shows nothing; counts, and stops a download that nobody waits for any more."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **{**options, "disable": True})

        def update(self, n: float | None = 1) -> bool | None:
            counts.add(int(n or 0))
            if left.is_set():
                raise Cancelled()
            return None

    extra = {"tqdm_class": Bar} if _takes(hub.hf_hub_download, "tqdm_class") else {}
    try:
        return _beside(
            lambda: Path(
                hub.hf_hub_download(
                    name, path, revision=revision, local_dir=folder, endpoint=_endpoint(),
                    token=hub_token() or False, **extra,
                )
            ),
            report=lambda: report(counts.take()),
        )  # fmt: skip
    finally:
        left.set()


class _Counts:
    def __init__(self) -> None:
        self._lock, self._count = threading.Lock(), 0

    def add(self, count: int) -> None:
        with self._lock:
            self._count += count

    def take(self) -> int:
        with self._lock:
            count, self._count = self._count, 0
        return count


def _beside(
    action: Callable[[], T],
    progress: Progress | None = None,
    report: Callable[[], None] | None = None,
) -> T:
    """What the action returns, done in a thread while the caller can be cancelled."""
    pool = ThreadPool(1)  # its thread ends with the program, whatever it waits for
    told = pool.apply_async(action)
    pool.close()
    while not told.ready():
        told.wait(_LOOK_S)
        if report is not None:
            report()
        if progress is not None:
            progress.check()
    try:
        return told.get()
    except DiffusionSegError:
        raise
    except Exception as error:  # each version of the library has its own
        if isinstance(error, OSError) and is_of_the_disk(error):
            raise disk_error(Path(str(error.filename or "The model's file")), error) from error
        lines = str(error).strip().splitlines() or [""]
        raise SourceFailure(f"{type(error).__name__}: {lines[0]}") from error


def _endpoint() -> str | None:
    """A mirror of the whole hub, if one is set."""
    return os.environ.get("HF_ENDPOINT") or None


def _takes(function: Any, name: str) -> bool:
    return name in inspect.signature(function).parameters
