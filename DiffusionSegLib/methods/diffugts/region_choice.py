"""Which region of a slice is the abnormal one, if any: the coarse mask.

The paper takes a coarse mask from the attention map and does not state how. Our choice: regions of
the picture are weighed by a linear rule that reads the map among other things, and the coarse
mask is what its belief in all of them adds up to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from DiffusionSegLib.methods.diffugts.region_features import FEATURES

__all__ = ["ChosenRegions", "RegionChoice", "eligible"]

_LIMIT = 4.0  # deviations: no feature may decide alone
_SHARPNESS = 2.0
_LARGEST = 0.45  # share of the body in the slice; what takes more is an organ, or all there is


@dataclass(frozen=True)
class ChosenRegions:
    """belief: (rows, columns) in [0, 1], how much speaks for each pixel; quality: the best region's
    expected overlap (Dice) with a tumor, 0 without regions; best: (rows, columns) bool."""

    belief: NDArray[np.float32]
    quality: float
    best: NDArray[np.bool_]


class RegionChoice(nn.Module):
    """Features of regions to logits by which they compete, and to the Dice to be expected.

    Two rules, since what is best in a healthy picture wins there as well, and only the second tells
    that it is nothing. Linear: networks with hidden layers fitted the kinds of tumors that they saw
    better and those that they did not see much worse.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self) -> None:
        super().__init__()
        count = len(FEATURES)
        self.register_buffer("mean", torch.zeros(count))
        self.register_buffer("spread", torch.ones(count))
        self.weigh = nn.Linear(count, 1)
        self.expect = nn.Linear(count, 1)

    def forward(self, features: Tensor) -> Tensor:
        """(n,) logits by which regions compete, of (n, features)."""
        logits: Tensor = self.weigh(self._plain(features))[:, 0]
        return logits

    def expected(self, features: Tensor) -> Tensor:
        """(n,) logits of the Dice that each region is expected to have with a tumor."""
        logits: Tensor = self.expect(self._plain(features))[:, 0]
        return logits

    @torch.no_grad()
    def choose(self, regions: NDArray[np.bool_], features: NDArray[np.float32]) -> ChosenRegions:
        """regions: (n, rows, columns); features: (n, features) of them. See eligible."""
        kept = eligible(features)
        regions, features = regions[kept], features[kept]
        if not len(regions):
            nothing = np.zeros(regions.shape[1:], np.float32)
            return ChosenRegions(nothing, 0.0, nothing > 0)
        told = torch.from_numpy(features).to(self.mean.device)
        logits = self(told).cpu()
        best = int(logits.argmax())
        share = (_SHARPNESS * logits).softmax(0).numpy()
        belief = np.einsum("n,nrc->rc", share, regions.astype(np.float32)).clip(0, 1)
        quality = float(self.expected(told[best : best + 1])[0].sigmoid())
        return ChosenRegions(belief.astype(np.float32), quality, regions[best])

    def _plain(self, features: Tensor) -> Tensor:
        return ((features - self.mean) / self.spread).clamp(-_LIMIT, _LIMIT)


def eligible(features: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(n,) of (n, features): which regions are small enough to be chosen without a mark. Rules that
    learned large tumors chose whole organs where tumors are small."""
    share = features[:, FEATURES.index("size in the body")]
    return np.asarray(share < np.log(_LARGEST))
