"""Which region of a slice the user's marks mean: the entrance that needs no text.

The user's stroke, box or click takes the place of the attention map (our choice of how; that a mark
can stand for the coarse mask follows from the method, whose inpainting takes any mask).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor, nn
from torch.nn import functional as F

from DiffusionSegLib.methods.diffugts.region_choice import ChosenRegions
from DiffusionSegLib.methods.diffugts.region_features import FEATURES, SliceFacts

__all__ = [
    "MARK_FEATURES",
    "MarkedChoice",
    "SliceMarks",
    "UntrainedMarkedChoice",
    "mark_features",
]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]

MARK_FEATURES = ("marks inside", "unlike the marks", "off the marks", "size over marks", "margin")
_LIMIT = 4.0
_SHARPNESS = 2.0
_FEWEST_INSIDE = 0.5  # share of the marks that a region must hold to be meant


@dataclass(frozen=True)
class SliceMarks:
    """(rows, columns) bool each, on the canvas. allowed: inside the boxes, all without boxes."""

    included: Bools
    excluded: Bools
    allowed: Bools


class MarkedChoice(nn.Module):
    """Features of regions and of marks to the logit of the Dice that each is expected to have.

    One hidden layer: with marks, unlike without, it did better on kinds of tumors never shown.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, inner: int = 24) -> None:
        super().__init__()
        count = len(FEATURES) + len(MARK_FEATURES)
        self.register_buffer("mean", torch.zeros(count))
        self.register_buffer("spread", torch.ones(count))
        self.first = nn.Linear(2 * count, inner)
        self.last = nn.Linear(inner, 1)

    def forward(self, features: Tensor) -> Tensor:
        """(n,) of (n, features of regions and of marks)."""
        plain = ((features - self.mean) / self.spread).clamp(-_LIMIT, _LIMIT)
        inner = F.gelu(self.first(torch.cat([plain, plain.square() / _LIMIT], dim=1)))
        logits: Tensor = self.last(inner)[:, 0]
        return logits

    @torch.no_grad()
    def choose(self, regions: Bools, features: Floats, marks: SliceMarks) -> ChosenRegions:
        """regions: (n, rows, columns). Those without half of the included marks, or with any
        excluded mark, are not meant; without one that is, the marks themselves are the answer."""
        meant = _meant(regions, marks)
        if not meant.any():
            own = ndimage.binary_dilation(marks.included, iterations=2) & marks.allowed
            return ChosenRegions(own.astype(np.float32), 0.5, own)
        logits = self(torch.from_numpy(features[meant]).to(self.mean.device)).cpu()
        share = (_SHARPNESS * logits).softmax(0).numpy()
        kept = regions[meant] & marks.allowed
        belief = np.einsum("n,nrc->rc", share, kept.astype(np.float32)).clip(0, 1)
        belief[marks.included], belief[marks.excluded] = 1.0, 0.0
        best = kept[int(logits.argmax())]
        return ChosenRegions(belief.astype(np.float32), float(logits.max().sigmoid()), best)


class UntrainedMarkedChoice(MarkedChoice):
    """For models without trained parts: what is like the marks in shade, lies around them, and has
    an edge (our choice of weights)."""

    def forward(self, features: Tensor) -> Tensor:
        """As in MarkedChoice."""
        own, told = features[:, : len(FEATURES)], features[:, len(FEATURES) :]
        edge = own[:, FEATURES.index("closed edge")]
        inside, unlike, off, size, _ = told.unbind(dim=1)
        return 2 * edge + 2 * inside - 3 * unlike - 2 * off - 0.5 * (size - 1).abs()


def mark_features(facts: SliceFacts, regions: Bools, marks: SliceMarks) -> Floats:
    """(n, mark features) in the order of MARK_FEATURES; included marks must not be empty."""
    if not len(regions):
        return np.zeros((0, len(MARK_FEATURES)), np.float32)
    smooth = ndimage.gaussian_filter(facts.slice_, 1.0)
    shade = float(smooth[marks.included].mean())
    rows, columns = np.nonzero(marks.included)
    middle = (float(rows.mean()), float(columns.mean()))
    length = max(1, int(np.ptp(rows)), int(np.ptp(columns)))
    return np.array(
        [_of_region(facts, region, marks.included, shade, middle, length) for region in regions],
        np.float32,
    )


def _of_region(
    facts: SliceFacts,
    region: Bools,
    included: Bools,
    shade: float,
    middle: tuple[float, float],
    length: int,
) -> list[float]:
    size = float(region.sum())
    rows, columns = np.nonzero(region)
    core = ndimage.binary_erosion(region)
    core = core if core.sum() > 8 else region
    away = np.hypot(rows.mean() - middle[0], columns.mean() - middle[1])
    depth = ndimage.distance_transform_edt(region)[included].mean()
    return [
        float(region[included].mean()),
        abs(float(facts.slice_[core].mean()) - shade) / facts.spread,
        float(away / np.sqrt(size)),
        float(np.log(size / length**2)),
        float(depth / np.sqrt(size)),
    ]


def _meant(regions: Bools, marks: SliceMarks) -> Bools:
    inside = regions[:, marks.included]
    held = inside.mean(axis=1) >= _FEWEST_INSIDE if inside.size else np.ones(len(regions), bool)
    return np.asarray(held & ~regions[:, marks.excluded].any(axis=1))
