"""Sentences by all-MiniLM-L6-v2, whose package comes with the text extra."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from DiffusionSegLib.backbones.compact.words import SHA256, open_minilm
from DiffusionSegLib.backbones.sentences.pooled import POOLINGS, PooledSentences

__all__ = ["open_minilm_sentences"]

_LENGTH = 256  # tokens that it was trained with


def open_minilm_sentences(
    settings: Mapping[str, Any], device: str, folder: Path | None
) -> PooledSentences:
    """The mean of the tokens' states, as it was trained; nothing else is set."""
    found = open_minilm(_LENGTH, device)
    network: Any = found.network
    width = int(network.config.hidden_size)
    return PooledSentences(
        "all-MiniLM-L6-v2", width, SHA256, found.tokenizer, network, POOLINGS["mean"], _LENGTH
    )
