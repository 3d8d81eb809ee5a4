"""Opens the encoder of sentences that a card's settings name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from DiffusionSegLib.backbones.kinds import opener_of

if TYPE_CHECKING:
    from DiffusionSegLib.backbones.sentences.interface import SentenceEncoder

__all__ = ["open_sentences"]

_PACKAGE = "DiffusionSegLib.backbones.sentences"
_KINDS = {
    "minilm": f"{_PACKAGE}.minilm:open_minilm_sentences",
    "transformers": f"{_PACKAGE}.transformer:open_transformer",
    "clip": f"{_PACKAGE}.clip:open_clip_text",
    "open_clip": f"{_PACKAGE}.open_clip:open_open_clip",
}


def open_sentences(
    settings: Mapping[str, Any], folder: Path | None = None, device: str = "cpu"
) -> SentenceEncoder:
    """The encoder of ``settings``, frozen, in float32; its library is imported here and not before.

    settings: {"kind": "minilm"}, the bundled default; or with a "source", a folder or a hub id:
    {"kind": "transformers", "pooling": "cls" or "mean"} (emilyalsentzer/Bio_ClinicalBERT, cls),
    {"kind": "clip"} (flaviagiammarino/pubmed-clip-vit-base-patch32) and {"kind": "open_clip"}
    (microsoft/BiomedCLIP-PubMedBERT_256-vit_base_patch16_224). folder: the card's own, in which
    relative paths start. Code that comes with a model is never run. Raises ModelError.
    """
    opener = opener_of(_KINDS, settings, "text encoder")
    opened: SentenceEncoder = opener(settings, device, folder)
    return opened
