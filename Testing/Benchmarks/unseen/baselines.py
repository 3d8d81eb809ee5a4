"""What can be had without DiffuGTS: shades, an ellipse, the body, and what an autoencoder misses.

Families with a free choice (which of four shades, how large an ellipse) are asked for all their
members; the report takes one member for all types, the one with the best mean over them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from DiffusionSegLib.backbones.generative.opening import open_generative
from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.methods.diffugts.embedding import as_batch, as_volume, embed_image
from DiffusionSegLib.methods.diffugts.intensities import IntensityRule
from DiffusionSegLib.methods.diffugts.working_grid import WorkingGrid, trimmed
from DiffusionSegLib.nouns.image import Image
from Testing.Benchmarks.ellipsoid import centred_ellipsoid
from Testing.Benchmarks.zero_shot.working import Working

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float32]

LONGEST = 192  # pixels; larger pictures are reduced
_CLASSES = 4
_BINS = 64
_AIR = 0.06
_RADII = (0.3, 0.45, 0.6, 0.75, 0.9)

OTSU, SHADE, ELLIPSE, BODY, RECONSTRUCTION = (
    "Otsu", "4-class Otsu", "ellipse in the middle", "whole body", "VAE residual"
)  # fmt: skip


def family(name: str) -> str:
    """Which baseline a member belongs to: "4-class Otsu" for "4-class Otsu, class 2"."""
    return name.partition(",")[0]


def shape_and_shade(image: Image) -> Mapping[str, BoolArray]:
    """(1, rows, columns) by name, of a 2D image; every member of every family."""
    working = Working.of(image, LONGEST)
    gray = working.pixels.mean(axis=-1)
    found = {OTSU: above_otsu(gray), BODY: body(gray)}
    for number, inside in enumerate(shade_classes(gray), 1):
        found[f"{SHADE}, class {number}"] = inside
    outlines = {name: working.to_full(inside) for name, inside in found.items()}
    for radius in _RADII:
        shape = image.geometry.shape_kji
        name = f"{ELLIPSE}, {radius:g} of the sides"
        outlines[name] = centred_ellipsoid(shape, (radius, radius, radius))
    return outlines


def above_otsu(values: FloatArray) -> BoolArray:
    """Above the threshold with the least variance within (Otsu 1979), tried between all values
    that there are; nothing where all are equal."""
    shades, counts = np.unique(values.astype(np.float64), return_counts=True)
    if len(shades) < 2:
        return np.zeros(values.shape, bool)
    below, sums = np.cumsum(counts)[:-1], np.cumsum(counts * shades)
    spread = (sums[:-1] - sums[-1] * below / values.size) ** 2 / (below * (values.size - below))
    return np.asarray(values > shades[int(np.argmax(spread))])


def shade_classes(values: FloatArray, classes: int = _CLASSES) -> list[BoolArray]:
    """From dark to bright, divided so that the variance within is least (Otsu for several classes),
    over 64 equal steps from the darkest to the brightest value; empty where all are equal."""
    low, span = float(values.min()), float(np.ptp(values))
    if span == 0:
        return [np.zeros(values.shape, bool) for _ in range(classes)]
    step = np.minimum((values - low) / span * _BINS, _BINS - 1).astype(np.intp)
    cuts = _least_variance(step, values, classes)
    number = np.digitize(step, cuts)
    return [np.asarray(number == one) for one in range(classes)]


def _least_variance(step: NDArray[np.intp], values: FloatArray, classes: int) -> list[int]:
    """First step of the second and each further class: the best over all divisions."""
    counts = np.bincount(step.ravel(), minlength=_BINS)
    total = np.bincount(step.ravel(), values.ravel().astype(np.float64), minlength=_BINS)
    number, summed = (np.concatenate([[0], np.cumsum(part)]) for part in (counts, total))
    # gain[a, b]: squared sum over count of the steps from a up to b; the more, the less varies.
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = (summed[None] - summed[:, None]) ** 2 / (number[None] - number[:, None])
    gain = np.where(np.tri(_BINS + 1, k=0).T > 0, np.nan_to_num(gain), -np.inf)
    best, ways = gain[0], []
    for _ in range(classes - 1):
        reached = best[:, None] + gain
        ways.append(reached.argmax(axis=0))
        best = reached.max(axis=0)
    cuts = [_BINS]
    for way in reversed(ways):
        cuts.append(int(way[cuts[-1]]))
    return cuts[:0:-1]


def body(values: FloatArray) -> BoolArray:
    """All that is no air, with its holes."""
    return np.asarray(ndimage.binary_fill_holes(values > _AIR))


class Autoencoder:
    """What a DiffuGTS model's own autoencoder cannot draw, on the grid that DiffuGTS works on."""

    def __init__(self, model: ModelEntry, device: str) -> None:
        self._backbone = open_generative(model.settings["backbone"], device, folder=model.folder)
        self._grid = WorkingGrid.from_dict(self._backbone.dims, model.settings.get("grid", {}))
        self._rule = IntensityRule.from_dict(model.settings["intensities"])

    def missed(self, image: Image) -> BoolArray:
        """(1, rows, columns): where |x - D(E(x))| is above its own Otsu threshold."""
        embedding = embed_image(image, None, self._backbone, self._grid, self._rule)
        values = self.residual(embedding.read_as("auto").picture)
        inside = above_otsu(trimmed(values, embedding.grid.shape_kji))
        on_grid = Image(inside[np.newaxis].astype(np.float32), embedding.grid)
        return np.asarray(on_grid.resampled(image.geometry, outside=0.0).array[0] >= 0.5)

    @torch.no_grad()
    def residual(self, picture: Tensor) -> Tensor:
        """(K, J, I), |x - D(E(x))| of a picture (1, 1, K, J, I) in [0, 1]."""
        batch = as_batch(picture, self._backbone.dims).to(self._backbone.device)
        drawn = self._backbone.decode(self._backbone.encode(batch).latent)
        return as_volume((batch - drawn).abs()[:, 0], self._backbone.dims)
