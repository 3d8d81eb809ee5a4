"""How good a corrected outline is as an answer to a further click: a choice of ours.

People, and the simulated user of the field's benchmarks, click into the middle of the largest part
that is wrong. So the best of all outlines that agree with the click has strong edges where it is
new, differs from the last one above all in one part around the click, and has the click in the
middle of that part. The weights were chosen as those of level_score.py.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from DiffusionSegLib.methods.adzus.bounding import bounding_box
from DiffusionSegLib.methods.adzus.canvas import Canvas
from DiffusionSegLib.methods.adzus.hints import Hint

__all__ = ["EditWeights", "edit_measures", "edit_score"]

Bools = NDArray[np.bool_]
_USUAL_OFFSET = 0.25  # of a part's radius
_NEUTRAL = (-0.5, 0.3)  # depth and offset of a stroke, which is not put in a middle


@dataclass(frozen=True)
class EditWeights:
    """Of edit_measures, in that order."""

    edges_fine: float = -1.55
    edges_middle: float = -0.02
    edges_coarse: float = 0.77
    new_edges_fine: float = 2.04
    new_edges_middle: float = 1.42
    new_edges_coarse: float = 0.78
    compactness: float = 4.51
    depth: float = 3.55
    off_center: float = -0.36
    share: float = 1.26
    log_changed: float = -0.32
    log_changed_squared: float = -0.06
    log_area: float = -1.11
    log_area_squared: float = 0.0
    growth: float = -1.3
    is_local: float = -2.96
    new_border: float = -2.43

    @cached_property
    def vector(self) -> NDArray[np.float64]:
        """(measures,)."""
        return np.array(astuple(self))


def edit_score(
    outline: Bools, last: Bools, hint: Hint, canvas: Canvas, local: bool, weights: EditWeights
) -> float:
    """Higher is better; minus infinity for an outline that covers everything or nothing.

    outline, last: (rows, columns) of the canvas; they differ at the hint.
    """
    measures = edit_measures(outline, last, hint, canvas, local)
    return -np.inf if measures is None else float(measures @ weights.vector)


def edit_measures(
    outline: Bools, last: Bools, hint: Hint, canvas: Canvas, local: bool
) -> NDArray[np.float64] | None:
    """What the score is linear in: mean rarity of the edges along the outline and along its new
    stretches, three scales each; log of 4πA/P²; of the changed part around the click: log of depth
    and offset (as RegionMeasures), log of its share of all changes, of its area, and that squared;
    log of the outline's area (both as shares of the body), and that squared; how much it grew or
    shrank; whether it is a local change of the last one; the share of its border that is new."""
    border, is_new = _border(outline, last)
    if len(border) == 0:
        return None
    new = border[is_new]
    area, old = (max(1, int(np.count_nonzero(one))) for one in (outline, last))
    compact = 4 * np.pi * area / (np.pi / 4 * len(border)) ** 2
    changed, depth, offset, share = _changed_part(outline, last, hint)
    log_changed, log_area = np.log(changed / canvas.body), np.log(area / canvas.body)
    edges = [float(one[border].mean()) for one in canvas.edges]
    new_edges = [float(one[new].mean()) if len(new) else 0.7 for one in canvas.edges]
    return np.array([
        *edges, *new_edges, np.log(np.clip(compact, 1e-3, 1.0)), depth, offset, np.log(share),
        log_changed, log_changed**2, log_area, log_area**2, abs(np.log(area / old)), float(local),
        len(new) / len(border),
    ])  # fmt: skip


def _border(outline: Bools, last: Bools) -> tuple[NDArray[np.int64], Bools]:
    """Numbers of the pixel edges (see straight_pairs) along the outline, and which are new."""
    if not outline.any():
        return np.zeros(0, np.int64), np.zeros(0, np.bool_)
    rows, columns = outline.shape
    box = bounding_box(outline)
    top, left = box[0].start, box[1].start
    part, before = outline[box], last[box]
    across = np.flatnonzero(part[:, :-1] != part[:, 1:])
    down = np.flatnonzero(part[:-1] != part[1:])
    width = part.shape[1]
    numbers = [
        (across // max(1, width - 1) + top) * (columns - 1) + across % max(1, width - 1) + left,
        (down // width + top) * columns + down % width + left + rows * (columns - 1),
    ]
    was_one = [(before[:, :-1] == before[:, 1:]).ravel(), (before[:-1] == before[1:]).ravel()]
    return np.concatenate(numbers), np.concatenate([was_one[0][across], was_one[1][down]])


def _changed_part(outline: Bools, last: Bools, hint: Hint) -> tuple[float, float, float, float]:
    """Area, log of depth, log of offset and share of the connected change at the hint."""
    part, total = _part_at(outline != last, hint)
    area = float(max(1, int(np.count_nonzero(part))))
    share = area / max(1, total)
    if not hint.is_click or not part.any():
        return area, *_NEUTRAL, share
    box = bounding_box(part)
    radius = np.sqrt(area / np.pi)
    row, column = hint.center[0] - box[0].start, hint.center[1] - box[1].start
    middle = [part[box].sum(axis=1 - n) @ np.arange(part[box].shape[n]) / area for n in (0, 1)]
    offset = np.hypot(middle[0] - row, middle[1] - column) / radius
    depth = _depth(part[box], row, column) / radius
    log_depth = float(np.log(np.clip(depth, 1e-2, 1.2)))
    return area, log_depth, float(np.log1p((offset / _USUAL_OFFSET) ** 2)), share


def _part_at(changed: Bools, hint: Hint) -> tuple[Bools, int]:
    """(rows, columns): the connected part of what changed at the hint's first pixel, empty where
    nothing did; and how many pixels changed in all."""
    part = np.zeros_like(changed)
    row, column = (int(place) for place in hint.pixels[0])
    if changed[row, column]:
        box = bounding_box(changed)
        labels, _ = ndimage.label(changed[box])
        part[box] = labels == labels[row - box[0].start, column - box[1].start]
    return part, int(np.count_nonzero(changed))


def _depth(part: Bools, row: float, column: float) -> float:
    """To the nearest pixel beside the part; no other is nearer than one in or around its box."""
    if part.all():
        return 1e4
    rows, columns = np.ogrid[: part.shape[0], : part.shape[1]]
    squares = (rows - row) ** 2 + (columns - column) ** 2
    return float(np.sqrt(squares[~part].min()))
