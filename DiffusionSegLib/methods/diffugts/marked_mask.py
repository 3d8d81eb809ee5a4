"""The coarse mask that a user's marks stand for, followed from slice to slice in a volume."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from DiffusionSegLib.methods.diffugts.coarse_mask import CoarseMask, on_canvas
from DiffusionSegLib.methods.diffugts.dimensions import resized
from DiffusionSegLib.methods.diffugts.marked_choice import (
    MarkedChoice,
    SliceMarks,
    mark_features,
)
from DiffusionSegLib.methods.diffugts.marks import GridMarks
from DiffusionSegLib.methods.diffugts.region_candidates import region_candidates
from DiffusionSegLib.methods.diffugts.region_choice import ChosenRegions
from DiffusionSegLib.methods.diffugts.region_features import region_features
from DiffusionSegLib.methods.diffugts.slice_regions import RegionShelf
from DiffusionSegLib.progress import Progress

__all__ = ["marked_mask"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]
_LEAST_OVERLAP = 0.45  # Dice with the neighbor's region; less is another object
_LEAST_SIZE = 0.2  # of the region in the marked slice; thinner ends are left to the residual
_LEAST_CONTRAST = 0.4  # of that in the marked slice; less is tissue that happens to overlap
_NO_CONTRAST = 0.02  # of [0, 1]: below, an object cannot be told by it
_RING = 4  # pixels of the canvas


def marked_mask(
    picture: Floats,
    logits: Floats,
    marks: GridMarks,
    choice: MarkedChoice,
    canvas: int,
    progress: Progress,
    shelf: RegionShelf | None = None,
) -> CoarseMask:
    """picture, logits: (slices, rows, columns), see coarse_mask. Marked slices are answered by
    their marks; from them the region is followed both ways until it does not go on."""
    belief = np.zeros(picture.shape, np.float32)
    quality = np.zeros(len(picture), np.float32)
    marked = marks.slices()
    looker = _Looker(picture, logits, marks, canvas, shelf or RegionShelf())
    looking = progress.part(0.0, 0.7).track(marked, "Comparing regions")
    chosen = {number: looker.by_marks(number, choice) for number in looking}
    for number, found in chosen.items():
        _put(belief, quality, number, found)
    for number, step in [(number, step) for number in marked for step in (-1, 1)]:
        _follow(looker, chosen[number].best, number, step, set(marked), belief, quality, progress)
    progress.report(1.0)
    belief[~marks.allowed] = 0.0
    return CoarseMask(belief, quality, marks.included.astype(np.int8) - marks.excluded)


class _Looker:
    """Slices on the canvas."""

    def __init__(
        self, picture: Floats, logits: Floats, marks: GridMarks, canvas: int, shelf: RegionShelf
    ) -> None:
        self.picture, self.logits, self.marks, self.canvas = picture, logits, marks, canvas
        self.shelf = shelf

    def small(self, number: int) -> Floats:
        return on_canvas(self.picture[number], self.canvas)

    def by_marks(self, number: int, choice: MarkedChoice) -> ChosenRegions:
        marks = self._slice_marks(number)
        found = self.shelf.get(number, self.small(number))
        logits = on_canvas(self.logits[number], self.canvas)
        facts, regions = found.facts_with(logits), found.regions
        if self.marks.included[number].any():
            own = found.with_map(logits)
        else:
            regions, marks = _boxed(regions, marks)
            own = region_features(facts, regions)
        told = mark_features(facts, regions, marks)
        return choice.choose(regions, np.concatenate([own, told], axis=1), marks)

    def possible(self, number: int, regions: Bools) -> Bools:
        """Those without a mark that says that this is not the object."""
        excluded = self._slice_marks(number).excluded
        return regions[~regions[:, excluded].any(axis=1)]

    def _slice_marks(self, number: int) -> SliceMarks:
        def small(mask: Bools) -> Bools:
            shrunk = on_canvas(mask.astype(np.float32), self.canvas)
            # Thin strokes must not vanish where the canvas is coarser than the grid.
            return shrunk > min(0.5, 0.3 * float(shrunk.max())) if mask.any() else shrunk > 0.5

        included = small(self.marks.included[number])
        allowed = small(self.marks.allowed[number])
        return SliceMarks(included, small(self.marks.excluded[number]) & ~included, allowed)


def _boxed(regions: Bools, marks: SliceMarks) -> tuple[Bools, SliceMarks]:
    """A box alone: regions are cut to it, and the middle of it stands for a mark."""
    rows, columns = np.nonzero(marks.allowed)
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    y = (np.arange(marks.allowed.shape[0])[:, None] - rows.mean()) / max(1.0, height / 2)
    x = (np.arange(marks.allowed.shape[1])[None] - columns.mean()) / max(1.0, width / 2)
    core = (y**2 + x**2 <= 0.3**2) & marks.allowed
    core[int(rows.mean()), int(columns.mean())] = True
    filled = (y**2 + x**2 <= 1.0) & marks.allowed
    cut = regions & marks.allowed
    wide = cut.any(axis=1).sum(axis=1) >= 0.6 * width
    tall = cut.any(axis=2).sum(axis=1) >= 0.6 * height
    kept = cut[wide & tall]
    if not len(kept):
        kept = filled[None]
    return kept, SliceMarks(core, marks.excluded, marks.allowed)


def _follow(
    looker: _Looker,
    region: Bools,
    start: int,
    step: int,
    marked: set[int],
    belief: Floats,
    quality: Floats,
    progress: Progress,
) -> None:
    """The neighbor's region that overlaps most is the same object, as long as one does."""
    first, before, number = int(region.sum()), region, start + step
    wanted = _contrast(looker.small(start), region)
    while 0 <= number < len(belief) and number not in marked:
        progress.report(0.0, "Following the object")
        if not looker.marks.allowed[number].any():
            return
        shown = looker.small(number)
        found, overlap = _nearest(looker.possible(number, region_candidates(shown)), before)
        if found is None or overlap < _LEAST_OVERLAP or found.sum() < _LEAST_SIZE * first:
            return
        if abs(wanted) > _NO_CONTRAST and _contrast(shown, found) / wanted < _LEAST_CONTRAST:
            return
        _put(belief, quality, number, ChosenRegions(found.astype(np.float32), overlap, found))
        before, number = found, number + step


def _contrast(slice_: Floats, region: Bools) -> float:
    """Of the region's shade with what is around it."""
    ring = ndimage.binary_dilation(region, iterations=_RING) & ~region
    return float(slice_[region].mean() - slice_[ring].mean()) if ring.any() else 0.0


def _nearest(regions: Bools, before: Bools) -> tuple[Bools | None, float]:
    if not len(regions):
        return None, 0.0
    flat, own = regions.reshape(len(regions), -1), before.reshape(-1)
    dice = 2 * (flat & own).sum(axis=1) / (flat.sum(axis=1) + own.sum())
    best = int(np.argmax(dice))
    return regions[best], float(dice[best])


def _put(belief: Floats, quality: Floats, number: int, found: ChosenRegions) -> None:
    tensor = torch.from_numpy(found.belief)[None, None]
    enlarged = resized(tensor, belief.shape[1:])[0, 0].numpy()
    belief[number] = np.maximum(belief[number], enlarged)
    quality[number] = max(float(quality[number]), found.quality)
