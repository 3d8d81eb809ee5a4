"""What the frozen encoder and the adapters make of an image before anything is asked."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from DiffusionSegLib.backbones.generative.interface import GenerativeBackbone
from DiffusionSegLib.methods.diffugts.anomaly_maps import AnomalyMaps
from DiffusionSegLib.methods.diffugts.embedding import DiffuGtsEmbedding, Reading, as_batch
from DiffusionSegLib.methods.diffugts.sparing import VOXELS_AT_ONCE
from DiffusionSegLib.progress import Progress

__all__ = ["Sight", "see"]



class Sight:
    """queries: of each level, (items, width, *places), in half precision to save room."""

    def __init__(self, queries: tuple[Tensor, ...]) -> None:
        self.queries = queries

    def batches(self, size: int = 16) -> Iterator[tuple[slice, tuple[Tensor, ...]]]:
        """Some items at a time, in float32."""
        count = len(self.queries[0])
        for start in range(0, count, size):
            part = slice(start, min(start + size, count))
            yield part, tuple(level[part].float() for level in self.queries)


@torch.no_grad()
def see(
    embedding: DiffuGtsEmbedding,
    reading: Reading,
    backbone: GenerativeBackbone,
    maps: AnomalyMaps,
    progress: Progress,
    at_once: int = VOXELS_AT_ONCE,
) -> Sight:
    """Kept in the embedding, so that a second text on the same image costs only the comparison.

    at_once: voxels that the encoder is given, of one slice at least; it bounds the memory."""
    key = ("sight", reading.modality.name, reading.intensities)
    if key not in embedding.kept:
        items = as_batch(reading.picture, backbone.dims)
        size = max(1, at_once // items[0].numel())
        parts = []
        for start in progress.track(range(0, len(items), size), "Reading the image"):
            piece = items[start : start + size].to(backbone.device)
            stages = backbone.encode(piece).stages
            looked = maps.look([stage.float().to(_device(maps)) for stage in stages])
            parts.append([level.half().cpu() for level in looked])
        embedding.kept[key] = Sight(tuple(torch.cat(level) for level in zip(*parts, strict=True)))
    found = embedding.kept[key]
    assert isinstance(found, Sight)
    return found


def _device(maps: AnomalyMaps) -> torch.device:
    return next(maps.parameters()).device
