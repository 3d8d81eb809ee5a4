"""GrabCut (Rother, Kolmogorov and Blake 2004) as OpenCV has it, started from clicks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.evaluation.clicks import Click
from DiffusionSegLib.nouns.image import Image
from Testing.Benchmarks.zero_shot.seeds import SeedRule, seeds_of
from Testing.Benchmarks.zero_shot.tidying import tidied
from Testing.Benchmarks.zero_shot.working import Working

BoolArray = NDArray[np.bool_]
_RULE = SeedRule(radius=0.04, reach=0.2)


@dataclass
class GrabCut:
    """Discs of clicks are certain; within `prior` (of the diagonal) of an including click is
    probable foreground unless an excluding click is nearer, all else probable background.

    context: a gray picture's second and third channel are its medians over 2 context + 1 and
    4 context + 1 pixels (0: three equal channels). longest: the long side it works on, also of a
    smaller picture, since its fixed cost of a border would leave nothing of a small object.
    """

    rule: SeedRule = _RULE
    prior: float = 0.2
    iterations: int = 1
    longest: int = 128
    smoothing: float = 0.0
    context: int = 1
    _working: Working | None = field(default=None, init=False, repr=False)

    def set_image(self, image: Image) -> None:
        """8 bits and three channels, which OpenCV wants."""
        self._working = working = Working.of(image, self.longest, self.smoothing, enlarged=True)
        values = np.rint(working.pixels * 255).astype(np.uint8)
        if values.shape[-1] == 1:
            gray = values[..., 0]
            sides = (2 * self.context + 1, 4 * self.context + 1)
            values = np.stack([gray, *(cv2.medianBlur(gray, side) for side in sides)], axis=-1)
        self._bytes = np.ascontiguousarray(values)

    def outline(self, clicks: Sequence[Click]) -> BoolArray:
        """Anew from all clicks."""
        assert self._working is not None
        working = self._working
        seeds = seeds_of(working, clicks, self.rule)
        around = seeds_of(working, clicks, SeedRule(self.rule.radius, self.prior)).near
        state = np.where(around & seeds.nearest, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
        state[seeds.exclude] = cv2.GC_BGD
        state[seeds.include] = cv2.GC_FGD
        cv2.setRNGSeed(0)  # the color models start from k-means
        models = np.zeros((1, 65)), np.zeros((1, 65))
        if not ((state == cv2.GC_BGD) | (state == cv2.GC_PR_BGD)).any():
            return np.ones((1, *working.full), np.bool_)
        cv2.grabCut(self._bytes, state, None, *models, self.iterations, cv2.GC_INIT_WITH_MASK)
        inside = (state == cv2.GC_FGD) | (state == cv2.GC_PR_FGD)
        return working.to_full(tidied(inside, working, clicks))
