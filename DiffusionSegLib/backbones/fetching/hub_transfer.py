"""Brings a repository's files from the hub or from its cache here, and checks what came."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from DiffusionSegLib.backbones.fetching.hub_cache import (
    Snapshot,
    cached_blob,
    find_snapshot,
    take_over,
)
from DiffusionSegLib.backbones.fetching.hub_copy import (
    CopiedFile,
    HubCopy,
    find_copy,
    read_copy,
    write_copy,
)
from DiffusionSegLib.backbones.fetching.hub_parts import HubPart, is_here
from DiffusionSegLib.backbones.fetching.hub_sums import Announced
from DiffusionSegLib.backbones.fetching.hub_watch import HubWatch
from DiffusionSegLib.backbones.fetching.lock import one_at_a_time
from DiffusionSegLib.backbones.fetching.pace import LowestPace
from DiffusionSegLib.backbones.fetching.space import check_space, disk_error, shown_bytes
from DiffusionSegLib.backbones.fetching.tokens import hub_token
from DiffusionSegLib.backbones.fetching.transfer import SourceFailure
from DiffusionSegLib.backbones.latent_diffusion.libraries import optional_module
from DiffusionSegLib.backbones.places import hub_room
from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.progress import Progress

__all__ = ["fetch_hub_file", "fetch_part", "whole_copy"]

Bring = Callable[[Announced, Path, Progress], None]  # a file to its place, unchecked


def fetch_part(
    part: HubPart, half: bool, progress: Progress, lowest: LowestPace | None = None
) -> HubCopy:
    """A repository's files for one use, in the folder of models; the first source that works.

    half: half-precision files where there are any. What is whole in the hub's own cache is taken
    over from there. Files are known only after they were compared with the card's sha256, or with
    the sums that the hub tells; those of a cache that tells none only when the hub cannot be
    reached. Raises ModelError, OutputError, Cancelled.
    """
    lowest, reasons = lowest or LowestPace.of_environment(), []
    with one_at_a_time(hub_room(part.source), progress) as waited:
        there = whole_copy(part, half, progress) if waited else None
        if there is not None:
            return there
        here = read_copy(part.source)
        if here is not None and not part.fits(here):
            here = None
        found = _taken_over(part, here, half, progress, unannounced=False)
        for source in (here.came_from,) if here else part.sources:
            try:
                found = found or _fetch(part, source, here, half, progress, lowest)
            except SourceFailure as failure:
                reasons.append(f"{source}: {failure}")
        found = found or _taken_over(part, here, half, progress, unannounced=True)
    if found is None:
        raise ModelError(
            f"The model {part.source!r} could not be fetched from the Hugging Face hub "
            f"({'; '.join(reasons)}). Check the network and the proxy, set HF_TOKEN if its licence "
            "has to be accepted on its page, HF_ENDPOINT for a mirror, or import an offline bundle "
            "or give the path of a local folder. Files that came whole are kept."
        )
    return found


def whole_copy(part: HubPart, half: bool, progress: Progress) -> HubCopy | None:
    """What was downloaded, taken over or imported for this use, when it is whole and the card's;
    what the hub's own cache has is not asked."""
    copy = read_copy(part.source)
    if copy is None or not is_here(part):
        return None
    try:
        copy.check(progress, thorough=True)
        return copy if find_copy(part.source, part.chooser(), half) else None
    except ModelError:
        return None


def fetch_hub_file(
    source: str, path: str, folder: Path, progress: Progress, lowest: LowestPace
) -> Path:
    """One file of a repository into ``folder``, unchecked. Raises SourceFailure, Cancelled."""
    hub = optional_module("huggingface_hub")
    name, _, revision = source.partition("@")
    watch = HubWatch(hub, lowest)
    return _download(hub, name, revision, path, folder, watch, lambda count: progress.check())


def _fetch(
    part: HubPart,
    source: str,
    here: HubCopy | None,
    half: bool,
    progress: Progress,
    lowest: LowestPace,
) -> HubCopy:
    hub, folder = optional_module("huggingface_hub"), hub_room(part.source)
    name = source.partition("@")[0]
    # What is here stays of one revision.
    revision = here.revision if here else part.revision_of(source)
    watch = HubWatch(hub, lowest)
    commit, listed = _listing(hub, name, revision, watch, progress)
    chosen = [listed[path] for path in part.chooser()(list(listed), half)]
    if not chosen:
        raise SourceFailure(f"it has no files for the use as {part.use}")
    wanted = [_with_card(one, part.sha256_of(source, one.path)) for one in chosen]
    missing = [one for one in wanted if not _is_there(folder, one)]
    check_space(folder, sum(one.size for one in missing if cached_blob(source, one) is None))

    def bring(one: Announced, path: Path, inner: Progress) -> None:
        blob = cached_blob(source, one)
        if blob is not None:
            take_over(blob, path, inner)
            if one.good_sha256(path, inner) is not None:
                return
            path.unlink()
        report = _counted(one, inner)
        _download(hub, name, commit, one.path, folder, HubWatch(hub, lowest), report)

    return _kept(HubCopy(part.source, source, commit, tuple(listed), _uses(here, part),
                         here.files if here else (), folder), wanted, bring, progress)  # fmt: skip


def _taken_over(
    part: HubPart, here: HubCopy | None, half: bool, progress: Progress, unannounced: bool
) -> HubCopy | None:
    """From the hub's cache, without any network; None when not all is there and whole."""
    for source in (here.came_from,) if here else part.sources:
        revision = here.revision if here else part.revision_of(source)
        there = find_snapshot(source, revision)
        names = part.chooser()(there.names, half) if there else []
        if there is None or not part.is_enough(names):
            continue
        wanted = [there.announced(path, part.sha256_of(source, path)) for path in names]
        if not unannounced and not all(one.checked for one in wanted):
            continue
        listing = tuple(dict.fromkeys((*(here.listing if here else ()), *there.names)))
        copy = HubCopy(part.source, source, there.commit, listing, _uses(here, part),
                       here.files if here else (), hub_room(part.source))  # fmt: skip
        try:
            return _kept(copy, wanted, _from(there), progress)
        except SourceFailure:  # damaged, or another file than the card's
            continue
    return None


def _from(there: Snapshot) -> Bring:
    return lambda one, path, inner: take_over(there.folder / one.path, path, inner)


def _kept(copy: HubCopy, wanted: Sequence[Announced], bring: Bring, progress: Progress) -> HubCopy:
    """Each wanted file in its place, then the index that makes all of them known."""
    files = {one.path: one for one in copy.files}
    done, total = 0, sum(one.size for one in wanted) or 1
    for one in wanted:
        inner = progress.part(done / total, (done + one.size) / total)
        files[one.path] = _brought(one, copy.folder / one.path, bring, inner)
        done += one.size
    kept = HubCopy(copy.source, copy.came_from, copy.revision, copy.listing, copy.uses,
                   tuple(files.values()), copy.folder)  # fmt: skip
    write_copy(kept)
    return kept


def _brought(one: Announced, path: Path, bring: Bring, progress: Progress) -> CopiedFile:
    """One file, checked; what is there already is only checked."""
    if one.contradiction:
        raise SourceFailure(one.contradiction)
    try:
        sha256 = one.good_sha256(path, progress)
        if sha256 is None:
            path.unlink(missing_ok=True)  # else the library would take it for what it is not
            bring(one, path, progress)
            sha256 = one.good_sha256(path, progress)
        if sha256 is None:
            path.unlink(missing_ok=True)
            whose = "the card lists" if one.card else "the hub announces"
            raise SourceFailure(f"{one.path} is not what {whose} (wrong checksum)")
        told = path.stat()
    except OSError as error:
        raise disk_error(path, error) from error
    return CopiedFile(one.path, told.st_size, sha256, told.st_mtime_ns, one.checked)


def _listing(
    hub: Any, name: str, revision: str, watch: HubWatch, progress: Progress
) -> tuple[str, dict[str, Announced]]:
    api = hub.HfApi(endpoint=_endpoint(), token=hub_token() or False)
    told = watch.run(
        lambda: api.model_info(name, revision=revision or None, files_metadata=True, timeout=30),
        lambda count: progress.check(),
    )
    files = {}
    for one in told.siblings or ():
        large = one.lfs or {}
        sha256 = large.get("sha256", "") if isinstance(large, dict) else large.sha256
        if _is_inside(one.rfilename):
            files[one.rfilename] = Announced(
                one.rfilename, one.size or 0, sha256 or "", one.blob_id or ""
            )
    return str(told.sha), files


def _is_inside(path: str) -> bool:
    """No mirror may have files written or removed elsewhere."""
    return not set(path) & {"\\", ":"} and not {"", ".", ".."} & set(path.split("/"))


def _with_card(one: Announced, card: str) -> Announced:
    return Announced(one.path, one.size, one.sha256, one.sha1, card)


def _uses(here: HubCopy | None, part: HubPart) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*(here.uses if here else ()), part.use)))


def _is_there(folder: Path, one: Announced) -> bool:
    path = folder / one.path
    return path.is_file() and path.stat().st_size == one.size


def _counted(one: Announced, progress: Progress) -> Callable[[int], None]:
    came = 0

    def report(count: int) -> None:
        nonlocal came
        came += count
        words = f"{one.path}: {shown_bytes(min(came, one.size))} of {shown_bytes(one.size)}"
        progress.report(came / one.size if one.size else 1.0, words)

    return report


def _download(
    hub: Any,
    name: str,
    revision: str,
    path: str,
    folder: Path,
    watch: HubWatch,
    report: Callable[[int], None],
) -> Path:
    """By the hub's library, looked after from here. From its own cache it would copy unchecked,
    also what is damaged there, so it is shown an empty one: see cached_blob."""
    extra = {"tqdm_class": watch.bar()} if _takes(hub.hf_hub_download, "tqdm_class") else {}
    return watch.run(
        lambda: Path(
            hub.hf_hub_download(
                name, path, revision=revision or None, local_dir=folder, endpoint=_endpoint(),
                cache_dir=folder / ".cache", token=hub_token() or False, **extra,
            )
        ),
        report,
    )  # fmt: skip


def _endpoint() -> str | None:
    """A mirror of the whole hub, if one is set."""
    return os.environ.get("HF_ENDPOINT") or None


def _takes(function: Any, name: str) -> bool:
    return name in inspect.signature(function).parameters
