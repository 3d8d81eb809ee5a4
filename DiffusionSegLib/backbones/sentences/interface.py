"""What an encoder of sentences is to a method that compares words with images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor

__all__ = ["SentenceEncoder"]


class SentenceEncoder(Protocol):
    """Frozen. name: of the model; width: numbers per sentence; weights_sha256: of the file that the
    weights were read from, since what is trained on one encoder's vectors fits no other."""

    name: str
    width: int
    weights_sha256: str

    def embed(self, texts: Sequence[str]) -> Tensor:
        """(n, width) float32 vectors of length one, on the encoder's device; n may be 0.

        Raises PromptError for a text that is longer than the model reads; nothing is cut.
        """
