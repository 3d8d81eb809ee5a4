"""A tokenizer, a transformer and the way in which its states become one vector."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from DiffusionSegLib.errors import PromptError

__all__ = ["POOLINGS", "PooledSentences", "Pooling"]

Pooling = Callable[[Any, Tensor], Tensor]  # the transformer's output, the mask (n, tokens)

_AT_ONCE = 64  # texts, so that memory does not grow with their number


@dataclass
class PooledSentences:
    """See SentenceEncoder. length: most tokens of a text, start and end included."""

    name: str
    width: int
    weights_sha256: str
    tokenizer: Any
    network: nn.Module
    pooling: Pooling
    length: int

    @torch.no_grad()
    def embed(self, texts: Sequence[str]) -> Tensor:
        """Texts of one call are padded to the longest; words do not look at the padding."""
        if isinstance(texts, str):
            raise TypeError("several texts are expected, not one")
        device = next(self.network.parameters()).device
        parts = [
            self._embed(list(texts[start : start + _AT_ONCE]), device)
            for start in range(0, len(texts), _AT_ONCE)
        ]
        return torch.cat(parts) if parts else torch.zeros(0, self.width, device=device)

    def _embed(self, texts: list[str], device: torch.device) -> Tensor:
        numbers = self.tokenizer(texts)["input_ids"]
        for text, own in zip(texts, numbers, strict=True):
            if len(own) > self.length:
                raise PromptError(
                    f"The text has {len(own)} tokens and the model {self.name} reads {self.length} "
                    f"(start and end included); nothing was cut. Shorten it: {text[:60]!r}"
                )
        padded = self.tokenizer.pad({"input_ids": numbers}, return_tensors="pt")
        mask = padded["attention_mask"].to(device)
        output = self.network(input_ids=padded["input_ids"].to(device), attention_mask=mask)
        return normalize(self.pooling(output, mask).float(), dim=-1)


def _first(output: Any, mask: Tensor) -> Tensor:
    """The state of the start token, [CLS]."""
    states: Tensor = output.last_hidden_state
    return states[:, 0]


def _mean(output: Any, mask: Tensor) -> Tensor:
    """Of all tokens but the padding."""
    states: Tensor = output.last_hidden_state
    kept = mask[..., None].to(states)
    return (states * kept).sum(1) / kept.sum(1)


POOLINGS: Mapping[str, Pooling] = {"cls": _first, "mean": _mean}
