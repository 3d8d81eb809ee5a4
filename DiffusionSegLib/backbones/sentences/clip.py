"""Sentences by the text tower of a CLIP, such as PubMedCLIP (Eslami et al. 2023)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from DiffusionSegLib.backbones.latent_diffusion.libraries import optional_module
from DiffusionSegLib.backbones.sentences.files import WEIGHTS
from DiffusionSegLib.backbones.sentences.pooled import PooledSentences
from DiffusionSegLib.backbones.sentences.source import (
    fill_kind,
    find_source,
    find_weights,
    read_settings,
    read_tensors,
    text_length,
    tokenizer_of,
)
from DiffusionSegLib.backbones.store import file_sha256
from DiffusionSegLib.errors import ModelError

__all__ = ["open_clip_text"]

_PARTS = ("text_model.", "text_projection.")


def open_clip_text(
    settings: Mapping[str, Any], device: str, folder: Path | None
) -> PooledSentences:
    """settings: {"source": a folder or hub id of a CLIPModel}; the image tower is not built."""
    place = find_source(settings, folder, "clip")
    config = read_settings(place)
    if config.model_type == "clip":
        width, config = config.projection_dim, config.text_config
        config.projection_dim = width  # the tower's own entry is not the one that holds
    if config.model_type != "clip_text_model":
        raise ModelError(
            f"The text encoder in {place} is a {config.model_type}, not a clip; open it as the "
            "kind 'transformers'."
        )
    file = find_weights(place, WEIGHTS["clip"])
    weights = {name: one for name, one in read_tensors(file).items() if name.startswith(_PARTS)}
    kind = optional_module("transformers").CLIPTextModelWithProjection
    network = fill_kind(kind, config, weights, file).to(device)
    words = tokenizer_of(place)
    return PooledSentences(
        str(settings["source"]), int(config.projection_dim), file_sha256(file), words, network,
        _projected, text_length(words, config),
    )  # fmt: skip


def _projected(output: Any, mask: Tensor) -> Tensor:
    """The end token's state, in the space that texts and images share."""
    projected: Tensor = output.text_embeds
    return projected
