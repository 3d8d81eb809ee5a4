"""Which repositories of the Hugging Face hub a model's settings name, and what is used of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from DiffusionSegLib.backbones.fetching.hub_copy import read_copy
from DiffusionSegLib.backbones.latent_diffusion.hub import TEXT_SOURCE, wanted_files
from DiffusionSegLib.backbones.maisi.files import PUBLISHED, HubFile, copies
from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.backbones.sentences.files import WEIGHTS, chooser
from DiffusionSegLib.backbones.sources import HUB_ID

if TYPE_CHECKING:
    from DiffusionSegLib.backbones.latent_diffusion.hub import Chooser

__all__ = ["HubPart", "hub_parts", "is_here", "used_models"]

_WEIGHTS = (".safetensors", ".pt", ".pth", ".bin")


@dataclass(frozen=True)
class HubPart:
    """source: "org/name" or "org/name@revision"; alternatives: that can stand for it, best first;
    use: "pipeline", "monai", "monai-text", "maisi:FILE" or a kind of text encoder."""

    use: str
    source: str
    alternatives: tuple[str, ...] = ()

    def chooser(self) -> Chooser:
        """Of the repository's files those that this use needs; loads torch for a bundle."""
        if self.use == "pipeline":
            return wanted_files
        if self.use in ("monai", "monai-text"):
            from DiffusionSegLib.backbones.latent_diffusion import monai_bundle

            own = monai_bundle.bundle_files
            return own if self.use == "monai" else monai_bundle.text_files
        if self.use.startswith("maisi:"):
            names = copies(self.use.removeprefix("maisi:"))
            return lambda there, half: [name for name in names if name in there][:1]
        return chooser(self.use)


def hub_parts(entry: ModelEntry) -> tuple[HubPart, ...]:
    """Of all settings, in their order; a source that is a folder here is none. Loads no network."""
    hubs = tuple(source.where for source in entry.sources if source.kind == "hub")
    found: dict[HubPart, None] = {}
    for use, source in _named(entry.settings, entry.folder):
        if HUB_ID.fullmatch(source) and not _is_folder(source, entry.folder):
            others = tuple(one for one in hubs if one != source) if source in hubs else ()
            found[HubPart(use, source, others)] = None
    return tuple(found)


def is_here(part: HubPart) -> bool:
    """Whether its files were downloaded or imported, or seem to be in the hub's own cache."""
    copy = read_copy(part.source)
    if copy is not None and part.use in copy.uses:
        return True
    name = part.source.partition("@")[0].replace("/", "--")
    found = (_cache() / f"models--{name}" / "snapshots").rglob("*")
    return any(path.suffix in _WEIGHTS for path in found)


def used_models(entry: ModelEntry) -> tuple[str, ...]:
    """Ids of the models in the store that this one is built on."""
    return tuple(
        dict.fromkeys(
            f"backbone/{table['name']}"
            for table in _tables(entry.settings)
            if table.get("kind") == "compact" and isinstance(table.get("name"), str)
        )
    )


def _named(settings: Mapping[str, Any], folder: Path) -> Iterator[tuple[str, str]]:
    """Uses and sources."""
    for table in _tables(settings):
        kind, source = table.get("kind"), table.get("source")
        if kind == "maisi":
            yield from ((f"maisi:{file.path}", file.source) for file in _maisi(table, folder))
        elif kind in ("pipeline", "monai", *WEIGHTS) and isinstance(source, str):
            yield str(kind), source
            if kind == "monai":
                yield "monai-text", TEXT_SOURCE


def _maisi(table: Mapping[str, Any], folder: Path) -> tuple[HubFile, ...]:
    """Denoiser and autoencoder as backbones/maisi/opening finds them."""
    published = PUBLISHED.get(str(table.get("variant")))
    if published is None:
        return ()
    told = table.get("autoencoder")
    own = told if isinstance(told, Mapping) else {"file": told}
    source = _text(table, "source", published[1].source)
    usual = source if _is_folder(source, folder) else published[0].source
    return (
        HubFile(source, _text(table, "denoiser", published[1].path)),
        HubFile(_text(own, "source", usual), _text(own, "file", published[0].path)),
    )


def _text(table: Mapping[str, Any], key: str, default: str) -> str:
    value = table.get(key)
    return value if isinstance(value, str) else default


def _tables(settings: Any) -> Iterator[Mapping[str, Any]]:
    """All tables within, the outer first."""
    if isinstance(settings, Mapping):
        yield settings
        for value in settings.values():
            yield from _tables(value)


def _is_folder(source: str, folder: Path) -> bool:
    return os.path.isdir(folder / source) or os.path.isdir(source)


def _cache() -> Path:
    """Of huggingface_hub, whose import takes too long for a list."""
    room = os.environ.get("HF_HUB_CACHE")
    home = os.environ.get("HF_HOME") or Path("~/.cache/huggingface").expanduser()
    return Path(room) if room else Path(home) / "hub"
