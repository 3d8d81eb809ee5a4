"""Which repositories of the Hugging Face hub a model's settings name, and what is used of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from DiffusionSegLib.backbones.fetching.hub_cache import seems_cached
from DiffusionSegLib.backbones.fetching.hub_copy import HubCopy, read_copy
from DiffusionSegLib.backbones.latent_diffusion.hub import TEXT_SOURCE, wanted_files
from DiffusionSegLib.backbones.maisi.files import PUBLISHED, HubFile, copies
from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.backbones.pins import Pin
from DiffusionSegLib.backbones.sentences.files import WEIGHTS, chooser
from DiffusionSegLib.backbones.sources import HUB_ID
from DiffusionSegLib.errors import ModelError

if TYPE_CHECKING:
    from DiffusionSegLib.backbones.latent_diffusion.hub import Chooser

__all__ = ["HubPart", "came_from", "hub_parts", "is_cached", "is_here", "used_models"]

# Of each use the beginnings of names of which it needs at least one file each; else any will do.
_NEEDED = {
    "pipeline": ("unet/", "vae/", "text_encoder/", "tokenizer/"),
    "monai": ("models/autoencoder", "models/diffusion_model"),
    "monai-text": ("text_encoder/", "tokenizer/"),
}


@dataclass(frozen=True)
class HubPart:
    """source: "org/name" or "org/name@revision"; alternatives: that can stand for it, best first;
    use: "pipeline", "monai", "monai-text", "maisi:FILE" or a kind of text encoder, and with
    choose whatever that chooses; pins: of the card, by hub id."""

    use: str
    source: str
    alternatives: tuple[str, ...] = ()
    pins: Mapping[str, Pin] = field(default_factory=dict, compare=False)
    choose: Chooser | None = field(default=None, compare=False)

    @property
    def sources(self) -> tuple[str, ...]:
        """The repository, and those that can stand for it."""
        return self.source, *self.alternatives

    def revision_of(self, source: str) -> str:
        """Of a source: what its id names, else what the card does, else "" for the newest."""
        name, _, told = source.partition("@")
        return told or self._pin(name).revision

    def sha256_of(self, source: str, path: str) -> str:
        """Of a source's file: what the card lists for the source, else for one of the others, for
        which it stands, else ""."""
        for one in (source, *self.sources):
            known = self._pin(one.partition("@")[0]).sha256.get(path)
            if known:
                return known
        return ""

    def fits(self, copy: HubCopy) -> bool:
        """Whether no file of a copy is another one than the card's."""
        return not self._strangers(copy)

    def check(self, copy: HubCopy) -> None:
        """Raises ModelError unless it fits."""
        strangers = self._strangers(copy)
        if strangers:
            raise ModelError(
                f"The file {copy.folder / strangers[0]} is another one than the model's card lists "
                f"for {self.source}; it is not used. Bring the right one with 'diffusionseg models "
                "download' and the model's name."
            )

    def _strangers(self, copy: HubCopy) -> list[str]:
        wanted = {one.path: self.sha256_of(copy.came_from, one.path) for one in copy.files}
        return [one.path for one in copy.files if wanted[one.path] not in ("", one.sha256)]

    def is_enough(self, names: Sequence[str]) -> bool:
        """Whether the chosen files are all that the use needs, and not a part of it."""
        needed = _NEEDED.get(self.use, ("",))
        return all(any(name.startswith(start) for name in names) for start in needed)

    def _pin(self, name: str) -> Pin:
        return self.pins.get(name, Pin())

    def chooser(self) -> Chooser:
        """Of the repository's files those that this use needs; loads torch for a bundle."""
        if self.choose is not None:
            return self.choose
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
            found[HubPart(use, source, others, entry.pins)] = None
    return tuple(found)


def is_here(part: HubPart) -> bool:
    """Whether its files were downloaded, taken over or imported, and are the card's."""
    copy = read_copy(part.source)
    return copy is not None and part.use in copy.uses and part.fits(copy)


def is_cached(part: HubPart) -> bool:
    """Whether there seem to be files of it in the hub's own cache, to be checked and taken over."""
    return any(seems_cached(source) for source in part.sources)


def came_from(entry: ModelEntry) -> str:
    """Which repositories gave the weights that are here, each with its revision; "" for none."""
    copies = [copy for copy in (read_copy(part.source) for part in hub_parts(entry)) if copy]
    return ", ".join(dict.fromkeys(copy.gave for copy in copies))


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
            if kind == "monai" and not _is_folder(source, folder):  # which has its own
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
