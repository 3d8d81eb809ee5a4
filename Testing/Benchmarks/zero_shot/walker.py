"""The random walker (Grady 2006) as scikit-image has it, seeded by clicks."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import random_walker

from DiffusionSegLib.evaluation.clicks import Click
from DiffusionSegLib.nouns.image import Image
from Testing.Benchmarks.zero_shot.seeds import SeedRule, seeds_of
from Testing.Benchmarks.zero_shot.tidying import tidied
from Testing.Benchmarks.zero_shot.working import Working

BoolArray = NDArray[np.bool_]
_TOLERANCE = 1e-2  # of the solver; the two classes are made to sum to 1 afterwards
_RULE = SeedRule(radius=0.01, reach=0.3)


@dataclass
class RandomWalker:
    """Inside is where a walker reaches the included seeds first with at least `threshold`."""

    rule: SeedRule = _RULE
    beta: float = 2000.0
    threshold: float = 0.3
    longest: int = 128
    smoothing: float = 0.0
    _working: Working | None = field(default=None, init=False, repr=False)

    def set_image(self, image: Image) -> None:
        """Reduce it: the system of equations has one unknown a pixel."""
        self._working = Working.of(image, self.longest, self.smoothing)

    def outline(self, clicks: Sequence[Click]) -> BoolArray:
        """Anew from all clicks."""
        assert self._working is not None
        working = self._working
        seeds = seeds_of(working, clicks, self.rule)
        labels = np.where(seeds.include, 1, np.where(seeds.exclude, 2, 0))
        if not seeds.exclude.any():
            return np.ones((1, *working.full), np.bool_)
        if not (labels == 0).any():
            return working.to_full(seeds.include)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it names faster solvers
            chances = random_walker(
                working.pixels, labels, self.beta, mode="cg_j", tol=_TOLERANCE,
                return_full_prob=True, channel_axis=-1,
            )  # fmt: skip
        share = chances[0] / np.maximum(chances.sum(axis=0), 1e-12)
        return working.to_full(tidied(share >= self.threshold, working, clicks))
