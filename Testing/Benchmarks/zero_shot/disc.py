"""A disc around each click: what an outline is worth that does not look at the image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.evaluation.clicks import Click
from DiffusionSegLib.nouns.image import Image
from Testing.Benchmarks.zero_shot.seeds import SeedRule, seeds_of
from Testing.Benchmarks.zero_shot.working import Working

BoolArray = NDArray[np.bool_]


@dataclass
class Disc:
    """Pixels within `reach` (of the diagonal) of an including click, with no other click nearer
    that excludes."""

    reach: float = 0.1
    longest: int = 256
    _working: Working | None = field(default=None, init=False, repr=False)

    def set_image(self, image: Image) -> None:
        """Its size."""
        self._working = Working.of(image, self.longest)

    def outline(self, clicks: Sequence[Click]) -> BoolArray:
        """The discs."""
        assert self._working is not None
        seeds = seeds_of(self._working, clicks, SeedRule(reach=self.reach))
        return self._working.to_full(seeds.near & seeds.nearest)
