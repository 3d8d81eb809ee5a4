"""Prompts as vectors: the encoder of sentences is opened when the first text comes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

from DiffusionSegLib.backbones.sentences.interface import SentenceEncoder
from DiffusionSegLib.backbones.sentences.opening import open_sentences
from DiffusionSegLib.methods.diffugts.prompt_pair import PromptPair

__all__ = ["TextSide"]


class TextSide:
    """settings: of the encoder, as a card names it; folder: the card's own."""

    def __init__(self, settings: Any, device: str, folder: Path | None) -> None:
        self._settings, self._device, self._folder = settings, device, folder
        self._encoder: SentenceEncoder | None = None
        self._known: dict[PromptPair, Tensor] = {}

    def vectors(self, pair: PromptPair) -> Tensor:
        """(2, width): normal, abnormal. Raises ModelError, PromptError."""
        if pair not in self._known:
            if self._encoder is None:
                self._encoder = open_sentences(self._settings, self._folder, self._device)
            self._known[pair] = self._encoder.embed(pair.texts)
        return self._known[pair]
