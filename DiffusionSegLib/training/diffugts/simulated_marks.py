"""Strokes and clicks as a user would put them on a lesion, and what they say of its regions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from DiffusionSegLib.methods.diffugts.coarse_mask import on_canvas
from DiffusionSegLib.methods.diffugts.marked_choice import SliceMarks, mark_features
from DiffusionSegLib.methods.diffugts.region_features import SliceFacts
from DiffusionSegLib.training.diffugts.cuts import Cut
from DiffusionSegLib.training.diffugts.regions import Regions

__all__ = ["Marked", "mark_cut", "simulated_mark"]

Bools = NDArray[np.bool_]
_FEWEST_INSIDE = 0.5  # of a mark, as MarkedChoice asks for
_CLICKS = 0.3  # share of marks that are a click, not a stroke
_ENDS = 6  # places among which a stroke's far end is chosen


@dataclass(frozen=True)
class Marked:
    """meant: (m,) numbers of the regions that hold the mark; told: (m, mark features) of them."""

    meant: NDArray[np.int64]
    told: NDArray[np.float32]


def simulated_mark(mask: Bools, rng: torch.Generator) -> Bools:
    """(rows, columns): a stroke through the lesion or a click on it, all inside it; not empty."""
    depth = ndimage.distance_transform_edt(mask)
    places = np.argwhere(depth >= min(2.0, float(depth.max())))
    start = places[_number(len(places), rng)]
    if float(torch.rand((), generator=rng)) < _CLICKS:
        ends = start[None]
    else:
        others = places[[_number(len(places), rng) for _ in range(_ENDS)]]
        far = others[np.argmax(((others - start) ** 2).sum(axis=1))]
        count = int(np.abs(far - start).max()) + 1
        ends = np.rint(np.linspace(start, far, count)).astype(int)
    marked = np.zeros_like(mask)
    marked[ends[:, 0], ends[:, 1]] = True
    wide = ndimage.binary_dilation(marked) & mask
    return np.asarray(wide if wide.any() else marked)


def mark_cut(cut: Cut, regions: Regions, rng: torch.Generator) -> Marked | None:
    """None where no region holds the mark, or the lesion has no pixel on the canvas."""
    size = max(regions.shape)
    mask = on_canvas(cut.mask.numpy().astype(np.float32), size) > 0.5
    if not mask.any() or not len(regions.dice):
        return None
    labels, count = ndimage.label(mask)
    largest = labels == 1 + int(np.argmax(np.bincount(labels.reshape(-1))[1:])) if count else mask
    mark = simulated_mark(largest, rng)
    whole = regions.zones()[0]
    meant = np.flatnonzero(whole[:, mark].mean(axis=1) >= _FEWEST_INSIDE)
    if not len(meant):
        return None
    small = on_canvas(cut.image.numpy().astype(np.float32) / np.float32(255), size)
    facts = SliceFacts.of(small, np.zeros_like(small))
    marks = SliceMarks(mark, np.zeros_like(mark), np.ones_like(mark))
    return Marked(meant, mark_features(facts, whole[meant], marks))


def _number(count: int, rng: torch.Generator) -> int:
    return int(torch.randint(count, (), generator=rng))
