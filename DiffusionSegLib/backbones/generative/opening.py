"""Opens the generative model that a card's settings name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from DiffusionSegLib.backbones.kinds import opener_of
from DiffusionSegLib.backbones.store import ModelStore

if TYPE_CHECKING:
    from DiffusionSegLib.backbones.generative.interface import GenerativeBackbone

__all__ = ["open_generative"]

_KINDS = {
    "compact": "DiffusionSegLib.backbones.generative.compact:open_compact_generative",
    "pipeline": "DiffusionSegLib.backbones.generative.pipeline:open_pipeline_generative",
    "maisi": "DiffusionSegLib.backbones.maisi.opening:open_maisi",
}


def open_generative(
    settings: Mapping[str, Any],
    device: str,
    store: ModelStore | None = None,
    folder: Path | None = None,
) -> GenerativeBackbone:
    """The model of ``settings``, on ``device``; its library is imported here and not before.

    settings: {"kind": "compact", "name": a model in the store}, {"kind": "pipeline", "source": a
    folder or hub id of Stable Diffusion's family}, or {"kind": "maisi", ...} (see
    backbones/maisi/opening). folder: the card's own, in which relative paths start. Raises
    ModelError.
    """
    opener = opener_of(_KINDS, settings, "generative backbone")
    opened: GenerativeBackbone = opener(settings, device, store or ModelStore(), folder)
    return opened
