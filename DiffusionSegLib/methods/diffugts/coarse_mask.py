"""The coarse mask of every slice, and how much speaks for there being anything at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from DiffusionSegLib.methods.diffugts.dimensions import resized
from DiffusionSegLib.methods.diffugts.region_choice import RegionChoice
from DiffusionSegLib.methods.diffugts.slice_regions import RegionShelf
from DiffusionSegLib.progress import Progress

__all__ = ["CoarseMask", "CoarseSettings", "coarse_mask", "on_canvas"]

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class CoarseSettings:
    """canvas: pixels of the longer side on which regions are compared. threshold: of the belief.
    along_mm: how far slices speak for each other."""

    canvas: int = 96
    threshold: float = 0.35
    along_mm: float = 6.0


@dataclass(frozen=True)
class CoarseMask:
    """belief: (slices, rows, columns) in [0, 1] on the padded picture's grid; quality: of each
    slice, the Dice that its best region is expected to have. told: on the same grid 1 where the
    user said that it belongs, -1 where not, 0 elsewhere; None where nothing was said."""

    belief: Floats
    quality: Floats
    told: NDArray[np.int8] | None = None

    def mask(self, threshold: float) -> NDArray[np.bool_]:
        """Where belief reaches the threshold; of a volume only the part that has most of it."""
        inside = self.belief >= threshold
        return _strongest_part(inside, self.belief) if len(inside) > 1 else inside


def coarse_mask(
    picture: Floats,
    logits: Floats,
    choice: RegionChoice,
    settings: CoarseSettings,
    between_mm: float,
    progress: Progress,
    shelf: RegionShelf | None = None,
) -> CoarseMask:
    """picture, logits: (slices, rows, columns), [0, 1] and of the anomaly map. between_mm: from
    slice to slice. shelf: of this picture, so that another text finds the regions there."""
    belief = np.zeros(picture.shape, np.float32)
    quality = np.zeros(len(picture), np.float32)
    shelf = shelf or RegionShelf()
    for number in progress.track(range(len(picture)), "Comparing regions"):
        found = shelf.get(number, on_canvas(picture[number], settings.canvas))
        features = found.with_map(on_canvas(logits[number], settings.canvas))
        chosen = choice.choose(found.regions, features)
        quality[number] = chosen.quality
        belief[number] = chosen.quality**0.5 * _enlarged(chosen.belief, picture.shape[1:])
    if len(picture) > 1:
        reach = settings.along_mm / max(between_mm, 1e-3)
        along = ndimage.gaussian_filter1d(belief, reach, axis=0, mode="nearest")
        belief = along / max(float(along.max()), 1e-6)
    else:
        belief = belief / max(float(quality[0]) ** 0.5, 1e-6)
    return CoarseMask(belief.clip(0, 1).astype(np.float32), quality)


def on_canvas(slice_: Floats, canvas: int) -> Floats:
    """(rows, columns) with a longer side of ``canvas`` pixels, averaged where it shrinks."""
    scale = canvas / max(slice_.shape)
    size = [max(8, round(side * scale)) for side in slice_.shape]
    tensor = torch.from_numpy(np.ascontiguousarray(slice_, dtype=np.float32))[None, None]
    found = torch.nn.functional.interpolate(tensor, size=size, mode="bilinear", antialias=True)
    return np.asarray(found[0, 0].numpy())


def _enlarged(values: Floats, size: tuple[int, ...]) -> Floats:
    tensor: Tensor = torch.from_numpy(values)[None, None]
    return np.asarray(resized(tensor, size)[0, 0].numpy())


def _strongest_part(inside: NDArray[np.bool_], belief: Floats) -> NDArray[np.bool_]:
    labels, count = ndimage.label(inside)
    if count < 2:
        return inside
    sums = ndimage.sum_labels(belief, labels, range(1, count + 1))
    return np.asarray(labels == 1 + int(np.argmax(sums)))
