"""Region growing from clicks with SimpleITK: connected threshold and confidence connected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from DiffusionSegLib.evaluation.clicks import Click
from DiffusionSegLib.nouns.image import Image
from Testing.Benchmarks.zero_shot.seeds import click_distances
from Testing.Benchmarks.zero_shot.tidying import tidied
from Testing.Benchmarks.zero_shot.working import Working

BoolArray = NDArray[np.bool_]


@dataclass
class _Growing:
    """Each click, including or excluding, grows a region of its own; a pixel in several regions
    goes to the nearest click. Regions are remembered, so a new click grows one region.

    smoothing: of the picture, voting: of the result (sigma in working pixels). reach: a region ends
    at this distance (of the diagonal) from its click (0: nowhere).
    """

    radius: float = 0.01
    reach: float = 0.2
    smoothing: float = 1.0
    voting: float = 2.0
    longest: int = 256
    _working: Working | None = field(default=None, init=False, repr=False)
    _regions: dict[Click, BoolArray] = field(default_factory=dict, init=False, repr=False)

    def set_image(self, image: Image) -> None:
        """Reduce and smooth it."""
        self._working = Working.of(image, self.longest, self.smoothing)
        self._regions = {}

    def outline(self, clicks: Sequence[Click]) -> BoolArray:
        """The regions of all clicks, put together."""
        assert self._working is not None
        working = self._working
        for click in clicks:
            if click not in self._regions:
                self._regions[click] = self._grown(working, click)
        distances = click_distances(working, clicks)
        regions = np.stack([self._regions[click] for click in clicks])
        if self.reach:
            regions &= distances <= self.reach * working.diagonal
        distances[~regions] = np.inf
        includes = np.array([click.include for click in clicks])
        inside = includes[np.argmin(distances, axis=0)] & regions.any(axis=0)
        return working.to_full(tidied(inside, working, clicks, self.voting))

    def _grown(self, working: Working, click: Click) -> BoolArray:
        raise NotImplementedError

    def _disc(self, working: Working, click: Click) -> BoolArray:
        radius = max(0.75, self.radius * working.diagonal)
        return np.asarray(click_distances(working, [click])[0] <= radius)


@dataclass
class ConnectedThreshold(_Growing):
    """Connected pixels whose color differs from the median of the click's disc by at most `width`
    (Euclidean, channels in [0, 1]) plus `spread` times the disc's own standard deviation."""

    width: float = 0.04
    spread: float = 1.0

    def _grown(self, working: Working, click: Click) -> BoolArray:
        disc = self._disc(working, click)
        colors = working.pixels[disc]
        step = np.linalg.norm(working.pixels - np.median(colors, axis=0), axis=-1)
        upper = self.width + self.spread * float(np.linalg.norm(colors.std(axis=0)))
        step[disc] = 0  # the click itself belongs to its region
        row, column = working.pixel(click)
        image = sitk.GetImageFromArray(step.astype(np.float32))
        region = sitk.ConnectedThreshold(image, [(column, row)], 0.0, upper)
        return sitk.GetArrayViewFromImage(region) != 0


@dataclass
class ConfidenceConnected(_Growing):
    """Connected pixels within `multiplier` standard deviations of the region's mean, which is
    taken anew `rounds` times, first of a square around the click.

    noise: added to the picture (sigma), since an even square has no standard deviation.
    """

    multiplier: float = 1.5
    rounds: int = 0
    noise: float = 0.03
    voting: float = 0.0

    def _grown(self, working: Working, click: Click) -> BoolArray:
        disc = self._disc(working, click)
        radius = max(1, round(self.radius * working.diagonal))
        pixels = working.pixels + self._dither(working.pixels.shape)
        if pixels.shape[-1] == 1:
            image = sitk.GetImageFromArray(pixels[..., 0])
            seeds = [working.pixel(click)[::-1]]
            region = sitk.ConfidenceConnected(image, seeds, self.rounds, self.multiplier, radius)
        else:
            # Of vectors the seed itself may fall out of its region, which then is empty; so the
            # whole disc are seeds.
            image = sitk.GetImageFromArray(pixels, isVector=True)
            seeds = [(int(column), int(row)) for row, column in np.argwhere(disc)]
            region = sitk.VectorConfidenceConnected(
                image, seeds, self.rounds, self.multiplier, radius
            )
        return (sitk.GetArrayViewFromImage(region) != 0) | disc

    def _dither(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        rng = np.random.default_rng(0)
        return self.noise * rng.standard_normal(shape, dtype=np.float32)
