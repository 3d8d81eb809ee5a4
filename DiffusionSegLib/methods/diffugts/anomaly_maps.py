"""Anomaly-aware open-vocabulary attention (AOVA) maps: texts against features of each level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.methods.diffugts.attention_level import AttentionLevel, attention_scores
from DiffusionSegLib.methods.diffugts.dimensions import resized

__all__ = ["ABNORMAL", "NORMAL", "AnomalyMaps", "AnomalyMapsConfig", "MapsAndScores"]

NORMAL, ABNORMAL = 0, 1  # channels, in the order of PromptPair


@dataclass(frozen=True)
class AnomalyMapsConfig:
    """channels: of each level's features; text_width: of sentence vectors; inner: of the adapters;
    width: of queries and keys; reach: of the adapters' neighborhoods, in places; dims: 2 or 3.
    """

    channels: tuple[int, ...]
    text_width: int = 384
    inner: int = 32
    width: int = 32
    reach: tuple[int, ...] = (5, 11)
    dims: int = 2

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> AnomalyMapsConfig:
        """Of a model card; raises ModelError."""
        try:
            return AnomalyMapsConfig(
                tuple(int(n) for n in values["channels"]),
                reach=tuple(int(n) for n in values["reach"]),
                **{name: int(values[name]) for name in ("text_width", "inner", "width", "dims")},
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"The settings of the anomaly maps are not usable: {error}."
            ) from error

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True)
class MapsAndScores:
    """maps: (B, N, *places), the attention of every place over the N texts, which sums to 1.

    logits: of the same, before the softmax. classes: (B, N, text_width), the class embedding g of
    each text. anomaly: (B,) logit of whether the image shows anything abnormal.
    """

    maps: Tensor
    logits: Tensor
    classes: Tensor
    anomaly: Tensor


class AnomalyMaps(nn.Module):
    """All that is trained of the maps: adapters, text reducers, cross-attention and both heads.

    The levels' scores are added, each with a learned weight, before the softmax over the texts: the
    product of the levels' opinions, where an unofficial implementation adds up their maps (our
    choice).
    """

    def __init__(self, config: AnomalyMapsConfig) -> None:
        super().__init__()
        self.config = c = config
        self.levels = nn.ModuleList(
            AttentionLevel(channels, c.text_width, c.inner, c.width, c.reach, c.dims)
            for channels in c.channels
        )
        self.weights = nn.Parameter(torch.ones(len(c.channels)))
        self.bias = nn.Parameter(torch.zeros(2))
        pooled, hidden = len(c.channels) * c.width, 2 * c.width
        self.classes = nn.Sequential(
            nn.Linear(pooled, hidden), nn.GELU(), nn.Linear(hidden, c.text_width)
        )
        self.anomaly = nn.Sequential(
            nn.Linear(c.text_width, hidden), nn.GELU(), nn.Linear(hidden, 1)
        )

    def look(self, features: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """What does not depend on the text: queries (B, width, *places) of each level.

        features: of each level, (B, channels, *places), finest first.
        """
        return tuple(level(own) for level, own in zip(self.levels, features, strict=True))

    def compare(self, queries: Sequence[Tensor], texts: Tensor) -> MapsAndScores:
        """queries: of `look`; texts: (B or 1, 2, text_width), normal and abnormal. The maps have
        the places of the finest level."""
        places = tuple(queries[0].shape[2:])
        scores = [
            weight * resized(attention_scores(own, level.keys(texts)), places)  # type: ignore[operator]
            for weight, level, own in zip(self.weights, self.levels, queries, strict=True)
        ]
        bias = self.bias.reshape(1, -1, *[1] * len(places))
        logits = torch.stack(scores).sum(dim=0) + bias
        maps = logits.softmax(dim=1)
        classes = self.classes(_pooled(queries, maps))
        anomaly = self.anomaly(classes.amax(dim=1))[:, 0]
        return MapsAndScores(maps, logits, classes, anomaly)

    def forward(self, features: Sequence[Tensor], texts: Tensor) -> MapsAndScores:
        """Both at once."""
        return self.compare(self.look(features), texts)


def _pooled(queries: Sequence[Tensor], maps: Tensor) -> Tensor:
    """(B, N, levels · width): Σ A(v) Q(v) / Σ A(v), of every level at its own places (our choice;
    pooling the map itself, as an unofficial implementation does, fixes the image's size)."""
    pooled = []
    for own in queries:
        weight = resized(maps, tuple(own.shape[2:])).flatten(2)
        weight = weight / weight.sum(dim=2, keepdim=True).clamp(min=1e-6)
        pooled.append(torch.matmul(weight, own.flatten(2).transpose(1, 2)))
    return torch.cat(pooled, dim=2)
