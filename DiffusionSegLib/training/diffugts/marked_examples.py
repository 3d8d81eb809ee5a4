"""Simulated strokes on prepared pictures: what MarkedChoice learns from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from DiffusionSegLib.methods.diffugts.coarse_mask import on_canvas
from DiffusionSegLib.methods.diffugts.marked_choice import SliceMarks, mark_features
from DiffusionSegLib.methods.diffugts.region_features import SliceFacts
from DiffusionSegLib.training.diffugts.cuts import Cut
from DiffusionSegLib.training.diffugts.regions import Regions, map_features
from DiffusionSegLib.training.diffugts.simulated_strokes import simulated_stroke

__all__ = ["MarkedExample", "marked_example"]

_FEWEST_HELD = 0.5  # share of the stroke in a region that could be meant, as at inference


@dataclass(frozen=True)
class MarkedExample:
    """features: (n, of regions and of marks); dice: (n,) with the tumor; of the regions that hold
    at least half of the stroke."""

    features: NDArray[np.float32]
    dice: NDArray[np.float32]


def marked_example(
    cut: Cut, regions: Regions, logits: Tensor, canvas: int, seed: int
) -> MarkedExample | None:
    """None where no region holds the stroke, or the tumor has no pixel on the canvas."""
    small = on_canvas(cut.image.numpy().astype(np.float32) / np.float32(255), canvas)
    mask = on_canvas(cut.mask.numpy().astype(np.float32), canvas) > 0.5
    if not mask.any() or not len(regions.dice):
        return None
    stroke = simulated_stroke(mask, np.random.default_rng(seed))
    whole, _, _ = regions.zones()
    held = whole[:, stroke].mean(axis=1) >= _FEWEST_HELD
    if not held.any():
        return None
    facts = SliceFacts.of(small, np.zeros_like(small))
    marks = SliceMarks(stroke, np.zeros_like(stroke), np.ones_like(stroke))
    told = mark_features(facts, whole[held], marks)
    own = map_features(regions, logits)[held]
    return MarkedExample(np.concatenate([own, told], axis=1), regions.dice[held])
