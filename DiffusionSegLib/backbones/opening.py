"""Opens the latent diffusion model that a card's settings name."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from DiffusionSegLib.backbones.latent_diffusion.hub import beside_card
from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.errors import ModelError

if TYPE_CHECKING:
    from DiffusionSegLib.backbones.latent_diffusion.interface import LatentDiffusion

__all__ = ["open_backbone"]

_PACKAGE = "DiffusionSegLib.backbones"


class _Kind(NamedTuple):
    """opener: "module:function" taking the model and the device; key: what names the model, a
    "name" in the store of models or a "source" (folder or hub id)."""

    opener: str
    key: str


_KINDS = {
    "compact": _Kind(f"{_PACKAGE}.compact.model:open_compact", "name"),
    "pipeline": _Kind(f"{_PACKAGE}.latent_diffusion.pipeline:open_pipeline", "source"),
    "monai": _Kind(f"{_PACKAGE}.latent_diffusion.monai_bundle:open_monai", "source"),
}


def open_backbone(
    settings: Mapping[str, Any],
    device: str,
    store: ModelStore | None = None,
    folder: Path | None = None,
) -> LatentDiffusion:
    """The model of ``settings``, on ``device``; its library is imported here and not before.

    settings: {"kind": "compact", "name": a model in the store}, or {"kind": "pipeline"} (Stable
    Diffusion's family, as diffusers saves it) and {"kind": "monai"} (a MONAI bundle) with a
    "source": a folder or a hub id "organization/name". folder: the card's own; a source that is a
    folder in it is that folder. Raises ModelError, and UnknownNameError for a name not in the
    store.
    """
    named = settings.get("kind") if isinstance(settings, Mapping) else settings
    kind = _KINDS.get(named) if isinstance(named, str) else None
    if kind is None:
        raise ModelError(
            f"The model's settings name a backbone of kind {named!r}; change it to one of "
            f"{', '.join(sorted(_KINDS))}."
        )
    value = settings.get(kind.key)
    if not isinstance(value, str) or not value.strip():
        raise ModelError(
            f"A backbone of kind {named!r} needs a {kind.key!r} in the model's settings, a text; "
            f"found was {value!r}."
        )
    model = _in_store(store, value) if kind.key == "name" else beside_card(value, folder)
    module, _, function = kind.opener.partition(":")
    opened: LatentDiffusion = getattr(importlib.import_module(module), function)(model, device)
    return opened


def _in_store(store: ModelStore | None, name: str) -> Any:
    from DiffusionSegLib.backbones.compact.model import METHOD

    return (store or ModelStore()).find(METHOD, name)
