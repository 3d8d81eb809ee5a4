"""A mask made better: walked over attention, told apart by colors, drawn to edges (our choice).

The mask's share of every place walks a few steps over attention, which closes holes and cuts off
bumps; joint bilateral weights bring that to pixels. A small model of colors and of that walk,
fitted to the mask, says how much every pixel is like the mask's inside; how far a pixel is from
the outline says how likely the user's side is right. A random walker draws the sum to edges.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from DiffusionSegLib.methods.adzus.mask_walk import STEPS, walked
from DiffusionSegLib.methods.adzus.pixel_model import color_features, fit_logits
from DiffusionSegLib.methods.adzus.plane import Plane
from DiffusionSegLib.methods.adzus.plane_outline import PlaneOutline
from DiffusionSegLib.methods.adzus.random_walker import walk_to_guess

__all__ = ["RefineWeights", "refine_plane"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
RULE = "the mask walked over attention, with colors and edges around its outline"


@dataclass(frozen=True)
class RefineWeights:
    """Lengths in radii of a disc as large as the mask's parts.

    likeness: of the fitted log odds, which are cut at ``most``. distance: of the side of the
    outline, full at about ``reach``. pull: of strokes. band: farther than that from the outline
    pixels stay. steps: of the walks. strength: of the random walker's links. stroke_weight: how
    much a pixel of a stroke teaches. rounds: fits. doubts: how far from 0.5 a change has to be for
    masks whose Dice with what was found is ``agreements``, in between linearly. They were chosen
    on simulated mistakes in outlines of the training and validation parts of open sets.
    """

    likeness: float = 0.7
    most: float = 4.0
    distance: float = 2.5
    reach: float = 0.5
    pull: float = 3.0
    band: float = 1.0
    steps: tuple[int, ...] = STEPS
    strength: float = 4.0
    stroke_weight: float = 3.0
    rounds: int = 2
    agreements: tuple[float, ...] = (0.7, 0.85)
    doubts: tuple[float, ...] = (0.05, 0.4)


def refine_plane(
    plane: Plane,
    mask: Bools,
    fixed_in: Bools,
    fixed_out: Bools,
    weights: RefineWeights | None = None,
) -> PlaneOutline:
    """All (rows, columns) of the canvas. ``fixed_in`` and ``fixed_out`` are exact in the result;
    where both are set, fixed_in counts. A mask that is empty or full stays as it is."""
    w = weights or RefineWeights()
    fixed_out = fixed_out & ~fixed_in
    start = (mask | fixed_in) & ~fixed_out
    if not start.any() or start.all():
        return PlaneOutline(start.astype(np.float32), 1.0, RULE)
    radius = part_radius(start)
    pulled = _pull(start, fixed_in, fixed_out)
    current, found = start, start.astype(np.float64)
    for _ in range(w.rounds):
        like = _likeness(plane, current, fixed_in | fixed_out, radius, w)
        odds = w.likeness * np.clip(like, -w.most, w.most) + w.pull * pulled
        odds = odds + w.distance * np.tanh(_signed_distance(start) / (w.reach * radius))
        found = _drawn_to_edges(plane, odds, start, fixed_in, fixed_out, pulled, radius, w)
        current = found >= 0.5
        if not current.any() or current.all():
            break
    if not (found >= 0.5).any():  # nothing tells the mask from what is around it
        found = start.astype(np.float64)
    kept = _kept_where_doubtful(found, start, pulled, w)
    kept[fixed_in], kept[fixed_out] = 1.0, 0.0
    return PlaneOutline(kept.astype(np.float32), agreement(start, kept >= 0.5), RULE)


def _kept_where_doubtful(found: Floats, start: Bools, pulled: Floats, w: RefineWeights) -> Floats:
    """The mask's own side where what was found is not sure. How sure it has to be depends on how
    well the mask as a whole agrees with it: a good mask is left alone but for what is obvious, and
    for what strokes ask for."""
    doubt = np.asarray(np.interp(agreement(start, found >= 0.5), w.agreements, w.doubts))
    doubt = doubt * (1 - np.abs(pulled))
    away = np.abs(found - 0.5)
    return np.where(away < doubt, np.where(start, 0.5 + away, 0.4999 - away), found)


def part_radius(mask: Bools) -> float:
    """Of a disc as large as the mask's connected parts, of which large ones count more; pixels."""
    parts, _ = ndimage.label(mask)
    areas = np.bincount(parts.ravel())[1:].astype(np.float64)
    return float(np.sqrt((areas**2).sum() / areas.sum() / np.pi))


def _likeness(
    plane: Plane, current: Bools, fixed: Bools, radius: float, w: RefineWeights
) -> Floats:
    walks = walked(plane, current, w.steps)
    features = np.concatenate([color_features(plane.canvas), walks], axis=-1)
    away = np.abs(_signed_distance(current))
    trusted = np.clip(away / (w.reach * radius), 0.1, 1.0)
    trusted[fixed] = w.stroke_weight
    trusted[(away > w.band * radius) & ~current & ~fixed] = 0
    return fit_logits(features, current, trusted.astype(np.float32))


def _signed_distance(mask: Bools) -> Floats:
    """(rows, columns): pixels to the outline, positive inside."""
    inside = ndimage.distance_transform_edt(mask)
    outside = ndimage.distance_transform_edt(~mask)
    return np.asarray(np.where(mask, inside - 0.5, 0.5 - outside))


def _pull(start: Bools, fixed_in: Bools, fixed_out: Bools) -> Floats:
    """(rows, columns) in [-1, 1]: strokes reach as far as what they contradict."""
    return _reach_of(fixed_in, start & ~fixed_in) - _reach_of(fixed_out, ~start & ~fixed_out)


def _reach_of(stroke: Bools, same: Bools) -> Floats:
    """From 1 at a stroke down to 0 as far away as it is from the mask's own pixels of its kind."""
    if not stroke.any() or not same.any():
        return np.zeros(stroke.shape)
    to_same = ndimage.distance_transform_edt(~same)
    parts, count = ndimage.label(stroke, structure=np.ones((3, 3)))
    depths = np.maximum(ndimage.maximum(to_same, parts, np.arange(count + 1)), 1.0)
    away, nearest = ndimage.distance_transform_edt(~stroke, return_indices=True)
    return np.asarray(np.clip(1 - away / depths[parts[tuple(nearest)]], 0.0, 1.0))


def _drawn_to_edges(
    plane: Plane,
    odds: Floats,
    start: Bools,
    fixed_in: Bools,
    fixed_out: Bools,
    pulled: Floats,
    radius: float,
    w: RefineWeights,
) -> Floats:
    guess = 1 / (1 + np.exp(-odds))
    far = (np.abs(_signed_distance(start)) > w.band * radius) & (pulled == 0)
    guess[far] = start[far]
    guess[fixed_in], guess[fixed_out] = 1.0, 0.0
    trust = 0.1 + np.abs(2 * guess - 1)
    return walk_to_guess(plane.canvas.color, guess, trust, far | fixed_in | fixed_out, w.strength)


def agreement(first: Bools, second: Bools) -> float:
    """Dice."""
    total = int(first.sum() + second.sum())
    return 2 * float((first & second).sum()) / total if total else 1.0
