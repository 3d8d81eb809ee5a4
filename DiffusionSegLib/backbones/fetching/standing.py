"""Whether a model can be used here and now, and what it still needs."""

from __future__ import annotations

import importlib.metadata
import re
from dataclasses import dataclass

import DiffusionSegLib
from DiffusionSegLib.backbones.fetching.hub_parts import HubPart, hub_parts, is_cached, is_here
from DiffusionSegLib.backbones.fetching.licences import check_accepted
from DiffusionSegLib.backbones.fetching.space import shown_bytes
from DiffusionSegLib.backbones.manifest import ModelEntry, ModelFile
from DiffusionSegLib.backbones.store import file_path
from DiffusionSegLib.errors import ModelError

__all__ = [
    "Standing", "check_ready", "missing_files", "missing_parts", "standing", "wants_licence",
]  # fmt: skip


@dataclass(frozen=True)
class Standing:
    """state: "ready", "needs download" or "incomplete" (files are missing, and the card names no
    source); download_bytes: expected, 0 when nothing is or nothing is known; cached: what is
    missing from the hub seems to be in the hub's own cache, from where a download takes it."""

    state: str
    download_bytes: int = 0
    cached: bool = False

    @property
    def words(self) -> str:
        """The state, with the size of a download."""
        if self.cached:
            return f"{self.state} (its files seem to be in the cache of the Hugging Face hub)"
        size = f" ({shown_bytes(self.download_bytes)})" if self.download_bytes else ""
        return f"{self.state}{size}"


def standing(entry: ModelEntry) -> Standing:
    """By names and sizes of files, without reading them; loads no network."""
    files, parts = missing_files(entry), missing_parts(entry)
    if not files and not parts:
        return Standing("ready")
    if any(not (part.sources or entry.sources) for part in files):
        return Standing("incomplete")
    size, cached = sum(part.size for part in files), bool(parts) and all(map(is_cached, parts))
    size += entry.needs.disk_bytes if parts and not cached else 0
    return Standing("needs download", size, cached)


def missing_files(entry: ModelEntry) -> list[ModelFile]:
    """Of the card's own those that are not here in their size."""
    return [part for part in entry.files if not _has_size(entry, part)]


def missing_parts(entry: ModelEntry) -> list[HubPart]:
    """Repositories of the hub that were not downloaded, taken over or imported."""
    return [part for part in hub_parts(entry) if not is_here(part)]


def check_ready(entry: ModelEntry) -> None:
    """Before a model is opened: versions, and the licence of weights that come from elsewhere.

    Raises ModelError.
    """
    for package, version in entry.minimum.items():
        _check_version(entry, package, version)
    if wants_licence(entry):
        check_accepted(entry)


def wants_licence(entry: ModelEntry) -> bool:
    """Whether it has to be accepted: something is to be fetched, or was from the hub, maybe for
    another model or by another program."""
    return bool(hub_parts(entry)) or standing(entry).state == "needs download"


def _has_size(entry: ModelEntry, part: ModelFile) -> bool:
    path = file_path(entry, part)
    return path.is_file() and path.stat().st_size == part.size


def _check_version(entry: ModelEntry, package: str, version: str) -> None:
    found = _installed(package)
    if _numbers(found) < _numbers(version):
        raise ModelError(
            f"The model {entry.id} needs {package} {version} or newer; found was {found}. "
            f"Install it with: pip install '{package}>={version}'"
        )


def _installed(package: str) -> str:
    if package.lower() == "diffusionseg":  # in Slicer it is no installed package
        return DiffusionSegLib.__version__
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "none"


def _numbers(version: str) -> tuple[int, ...]:
    """Of the release: "2.13.0+cpu" is (2, 13); zeros at the end say nothing."""
    numbers = [int(word) for word in re.findall(r"\d+", version.partition("+")[0])[:3]]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)
