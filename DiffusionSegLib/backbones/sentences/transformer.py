"""Sentences by a plain transformer, such as Bio_ClinicalBERT (Alsentzer et al. 2019)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from DiffusionSegLib.backbones.sentences.files import WEIGHTS
from DiffusionSegLib.backbones.sentences.pooled import POOLINGS, PooledSentences
from DiffusionSegLib.backbones.sentences.source import (
    built_kind,
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

__all__ = ["open_transformer"]


def open_transformer(
    settings: Mapping[str, Any], device: str, folder: Path | None
) -> PooledSentences:
    """settings: {"source": a folder or hub id, "pooling": "cls" (default) or "mean"}."""
    pooling = settings.get("pooling", "cls")
    if pooling not in POOLINGS:
        raise ModelError(
            f"The pooling of a text encoder is one of {', '.join(POOLINGS)}, not {pooling!r}."
        )
    place = find_source(settings, folder, "transformers")
    config = read_settings(place)
    kind, file = built_kind(config), find_weights(place, WEIGHTS["transformers"])
    network = fill_kind(kind, config, _of_the_body(read_tensors(file), kind), file).to(device)
    words = tokenizer_of(place)
    return PooledSentences(
        str(settings["source"]), int(config.hidden_size), file_sha256(file), words, network,
        POOLINGS[pooling], text_length(words, config),
    )  # fmt: skip


def _of_the_body(weights: Mapping[str, Any], kind: Any) -> dict[str, Any]:
    """Without the heads that guess words, where the transformer itself stands under its name."""
    start = f"{kind.base_model_prefix}."
    own = {name: value for name, value in weights.items() if name.startswith(start)}
    return own or dict(weights)
