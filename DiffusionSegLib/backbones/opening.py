"""Opens the latent diffusion model that a card's settings name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from DiffusionSegLib.backbones.kinds import opener_of
from DiffusionSegLib.backbones.latent_diffusion.hub import beside_card
from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.errors import ModelError

if TYPE_CHECKING:
    from DiffusionSegLib.backbones.latent_diffusion.interface import LatentDiffusion

__all__ = ["open_backbone"]

_PACKAGE = "DiffusionSegLib.backbones"


# Functions that take the model and the device.
_KINDS = {
    "compact": f"{_PACKAGE}.compact.model:open_compact",
    "pipeline": f"{_PACKAGE}.latent_diffusion.pipeline:open_pipeline",
    "monai": f"{_PACKAGE}.latent_diffusion.monai_bundle:open_monai",
}
_IN_STORE = ("compact",)  # named by "name", others by "source", a folder or hub id


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
    opener = opener_of(_KINDS, settings, "backbone")
    kind = settings["kind"]
    key = "name" if kind in _IN_STORE else "source"
    value = settings.get(key)
    if not isinstance(value, str) or not value.strip():
        raise ModelError(
            f"A backbone of kind {kind!r} needs a {key!r} in the model's settings, a text; found "
            f"was {value!r}."
        )
    model = _in_store(store, value) if kind in _IN_STORE else beside_card(value, folder)
    opened: LatentDiffusion = opener(model, device)
    return opened


def _in_store(store: ModelStore | None, name: str) -> Any:
    from DiffusionSegLib.backbones.compact.model import METHOD

    return (store or ModelStore()).find(METHOD, name)
