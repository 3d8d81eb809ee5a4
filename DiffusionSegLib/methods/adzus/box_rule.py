"""The structure that fills a box: a choice of ours.

What lies just outside the box is background. A small model of colors and of a walk over attention
from there, fitted to the ring around the box against its inside, says how little every pixel is
like the background; a random walker draws that to edges. Of the nested regions that come out, the
one is taken that has strong edges and touches, or nearly touches, all four sides of the box.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from DiffusionSegLib.methods.adzus.connected import connected_to, without_holes
from DiffusionSegLib.methods.adzus.hints import Hint
from DiffusionSegLib.methods.adzus.mask_walk import STEPS, walked
from DiffusionSegLib.methods.adzus.nested import NestedRegions, measure_regions, nested_regions
from DiffusionSegLib.methods.adzus.pixel_model import color_features, fit_logits
from DiffusionSegLib.methods.adzus.plane import Plane
from DiffusionSegLib.methods.adzus.plane_outline import PlaneOutline
from DiffusionSegLib.methods.adzus.random_walker import walk_to_guess

__all__ = ["BoxWeights", "outline_box"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
RULE = "the structure that fills the box, unlike what is around it"


@dataclass(frozen=True)
class BoxWeights:
    """ring: width around the box, of its shorter side. likeness: of the fitted log odds, cut at
    ``most``. middle: of the place in the box. strength: of the random walker's links. pull: of
    hints, down to 0 at ``reach`` of the box's shorter side.

    The rest is what a region's score adds up: edges and compactness of its border; tightness, of
    its bounding box, which is ``tight`` enough at that overlap with the box; fill, of the log of
    its share of the box against ``usual_fill``, squared; agreement with the likeness at 0.5;
    off_center, its center's distance from the box's. They were chosen on outlines of the training
    and validation parts of open sets of skin lesions, brain tumors and sarcomas.
    """

    ring: float = 0.2
    likeness: float = 0.8
    most: float = 4.0
    middle: float = 3.0
    strength: float = 8.0
    rounds: int = 3
    pull: float = 4.0
    reach: float = 0.35
    steps: tuple[int, ...] = STEPS
    edges: tuple[float, ...] = (14.0, 15.0, 11.0)
    compactness: float = 5.0
    tightness: float = 300.0
    tight: float = 0.82
    fill: float = -80.0
    usual_fill: float = 0.57
    agreement: float = 45.0
    off_center: float = -20.0


def outline_box(
    plane: Plane, box: Bools, hints: Sequence[Hint], weights: BoxWeights | None = None
) -> PlaneOutline:
    """box: (rows, columns) of the canvas, where the outline has to stay; 0 outside it. Pixels of
    included hints in the box are 1, those of excluded hints 0. Of several boxes apart from each
    other each holds a structure."""
    w = weights or BoxWeights()
    parts, count = ndimage.label(box)
    if count > 1:
        found = [outline_box(plane, parts == n, hints, w) for n in range(1, count + 1)]
        together = np.max([one.probability for one in found], axis=0)
        return PlaneOutline(together, min(one.score for one in found), RULE)
    if not box.any():
        return PlaneOutline(np.zeros(box.shape, np.float32), 0.0, RULE)
    inside, outside = _drawn(hints, True, box), _drawn(hints, False, box)
    ring = _ring(box, w.ring)
    if not ring.any():
        return PlaneOutline(_pinned(box.astype(np.float32), inside, outside), 0.5, RULE)
    likely = _likeness(plane, box, ring, inside, outside, w)
    regions = _regions(likely, box, inside, outside)
    level, share = _best_level(regions, likely, plane, box, inside, outside, w)
    mask = regions.region(level) & box
    return PlaneOutline(_pinned(_around_half(likely, mask, box), inside, outside), share, RULE)


def _likeness(
    plane: Plane, box: Bools, ring: Bools, inside: Bools, outside: Bools, w: BoxWeights
) -> Floats:
    """(rows, columns) in [0, 1]: how likely each pixel is in the structure."""
    fixed = inside | outside | ~box
    current = box & ~outside
    middle = _middle(box)
    colors = color_features(plane.canvas)
    pulled = w.pull * (_near(inside, box, w.reach) - _near(outside, box, w.reach))
    found = middle
    for _ in range(w.rounds):
        features = np.concatenate([colors, walked(plane, current, w.steps)], axis=-1)
        used = (ring | box).astype(np.float32)
        like = np.clip(fit_logits(features, current, used), -w.most, w.most)
        guess = 1 / (1 + np.exp(-w.likeness * like - w.middle * middle - pulled))
        guess[~box | outside], guess[inside] = 0.0, 1.0
        trust = 0.1 + np.abs(2 * guess - 1)
        found = walk_to_guess(plane.canvas.color, guess, trust, fixed, w.strength)
        current = found >= 0.5
        if not current.any():
            current = (middle > 0) & box | inside
    return found


def _middle(box: Bools) -> Floats:
    """(rows, columns): 1 in the box's center, 0 on the ellipse that touches its sides, below 0 in
    its corners."""
    rows, columns = np.nonzero(box)
    total = np.zeros(box.shape)
    for axis, places in enumerate((rows, columns)):
        center, half = (places.min() + places.max()) / 2, (np.ptp(places) + 1) / 2
        line = ((np.arange(box.shape[axis]) - center) / half) ** 2
        total = total + np.expand_dims(line, 1 - axis)
    return np.asarray(np.clip(1 - total, -1.0, 1.0))


def _near(hints: Bools, box: Bools, reach: float) -> Floats:
    """(rows, columns): 1 at the hints, 0 from ``reach`` of the box's shorter side on."""
    if not hints.any():
        return np.zeros(box.shape)
    away = ndimage.distance_transform_edt(~hints)
    return np.asarray(np.clip(1 - away / max(reach * _side(box), 1.0), 0.0, 1.0))


def _side(box: Bools) -> int:
    """The shorter one, in pixels."""
    return int(min(np.ptp(places) for places in np.nonzero(box))) + 1


def _ring(box: Bools, share: float) -> Bools:
    away = ndimage.distance_transform_edt(~box)
    return np.asarray((away > 0) & (away <= max(2.0, share * _side(box))))


def _regions(found: Floats, box: Bools, inside: Bools, outside: Bools) -> NestedRegions:
    """Nested, in the box, around the likeliest place or the included pixels."""
    values = np.where(box, 1.0 - found, 1.5).astype(np.float32)
    seeds = np.argwhere(inside & ~outside)
    if len(seeds) == 0:
        likeliest = np.where(box, found + 1e-3 * _middle(box), -1.0)
        seeds = np.array([np.unravel_index(int(likeliest.argmax()), box.shape)])
    joined = np.where(box, without_holes(connected_to(values, seeds)), 1.5)
    return nested_regions(joined.astype(np.float32))


def _best_level(
    regions: NestedRegions,
    found: Floats,
    plane: Plane,
    box: Bools,
    inside: Bools,
    outside: Bools,
    w: BoxWeights,
) -> tuple[int, float]:
    """The level's number, and how tightly it fits the box."""
    rows, columns = np.nonzero(box)
    center = (float(rows.mean()), float(columns.mean()))
    measures = measure_regions(regions, plane.canvas, center)
    tight = _tightness(regions, box)
    fits_box = not outside.any()  # else the user says that something else is in the box as well
    filled = np.log(np.maximum(regions.areas, 1) / (w.usual_fill * box.sum()))
    scores = (
        sum(a * b for a, b in zip(w.edges, measures.edges, strict=True))
        + w.compactness * np.log(measures.compactness)
        + fits_box * (w.tightness * np.minimum(tight, w.tight) + w.fill * filled**2)
        + w.agreement * np.log(_agreements(regions, found >= 0.5))
        + w.off_center * measures.off_center
    )
    allowed = regions.areas <= box.sum()
    if inside.any():
        allowed[: int(regions.level[inside].max())] = False
    if not allowed.any():
        return len(scores) - 2 if len(scores) > 1 else 0, 0.0
    best = int(np.argmax(np.where(allowed, scores, -np.inf)))
    return best, float(np.clip(tight[best], 0.0, 1.0))


def _tightness(regions: NestedRegions, box: Bools) -> Floats:
    """(levels,): overlap of every region's bounding box with the box (intersection over union)."""
    levels = np.arange(len(regions.areas))
    shared, areas, whole = (np.ones(len(levels)) for _ in range(3))
    for axis in (0, 1):
        # The first level that reaches each line decides from when on the line counts.
        reached = regions.level.min(axis=1 - axis)[None] <= levels[:, None]
        start, end = reached.argmax(axis=1), reached.shape[1] - reached[:, ::-1].argmax(axis=1)
        lines = np.flatnonzero(box.any(axis=1 - axis))
        first, last = int(lines[0]), int(lines[-1]) + 1
        shared *= np.maximum(np.minimum(end, last) - np.maximum(start, first), 0)
        areas *= end - start
        whole *= last - first
    return np.asarray(shared / (areas + whole - shared), dtype=np.float64)


def _agreements(regions: NestedRegions, likely: Bools) -> Floats:
    """(levels,): Dice with the likely pixels, at least 0.01."""
    counts = np.bincount(regions.level[likely], minlength=len(regions.areas))
    shared = 2 * np.cumsum(counts) / np.maximum(regions.areas + likely.sum(), 1)
    return np.asarray(np.maximum(shared, 1e-2))


def _around_half(found: Floats, mask: Bools, box: Bools) -> NDArray[np.float32]:
    """The likeness with its sides moved to where the outline was chosen."""
    return np.where(mask, 0.5 + found / 2, np.where(box, found / 2.01, 0.0)).astype(np.float32)


def _drawn(hints: Sequence[Hint], include: bool, box: Bools) -> Bools:
    drawn = np.zeros(box.shape, dtype=bool)
    for hint in hints:
        if hint.include == include:
            drawn[tuple(hint.pixels.T)] = True
    return drawn & box


def _pinned(probability: NDArray[np.float32], inside: Bools, outside: Bools) -> NDArray[np.float32]:
    probability[outside], probability[inside] = 0.0, 1.0
    return probability
