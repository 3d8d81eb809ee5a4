"""The anomaly map of an image for two texts, and how abnormal each of its items looks."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from DiffusionSegLib.methods.diffugts.anomaly_maps import ABNORMAL, NORMAL, AnomalyMaps
from DiffusionSegLib.methods.diffugts.dimensions import resized
from DiffusionSegLib.methods.diffugts.seeing import Sight

__all__ = ["MapReading", "read_maps"]


@dataclass(frozen=True)
class MapReading:
    """logits: (items, *voxels), abnormal less normal; scores: (items,) in [0, 1], of the anomaly
    head. Both on the CPU, float32."""

    logits: Tensor
    scores: Tensor


@torch.no_grad()
def read_maps(
    sight: Sight, maps: AnomalyMaps, texts: Tensor, voxels: tuple[int, ...]
) -> MapReading:
    """texts: (2, text_width), normal and abnormal; voxels: of an item of the padded picture."""
    logits, scores = [], []
    device = next(maps.parameters()).device
    for _, queries in sight.batches():
        found = maps.compare([level.to(device) for level in queries], texts[None].to(device))
        apart = found.logits[:, ABNORMAL] - found.logits[:, NORMAL]
        logits.append(resized(apart[:, None], voxels)[:, 0].cpu())
        scores.append(found.anomaly.sigmoid().cpu())
    return MapReading(torch.cat(logits), torch.cat(scores))
