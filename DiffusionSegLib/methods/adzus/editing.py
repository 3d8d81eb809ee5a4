"""A further click corrects the outline so far: how, is a choice of ours.

People, and the simulated user of the field's benchmarks, click into the middle of the largest
part that is wrong. So of all outlines that agree with the click, the one is taken that has strong
edges and differs from the last outline above all in one part around the click, with the click in
its middle. Two kinds compete: the last outline with a region around the click added or taken away,
and the regions that the earlier clicks could have meant just as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from DiffusionSegLib.methods.adzus.canvas import Canvas
from DiffusionSegLib.methods.adzus.hints import Hint
from DiffusionSegLib.methods.adzus.neighbors import straight_pairs

__all__ = ["EditWeights", "best_edit"]

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class EditWeights:
    """edges: of the mean edge rank of the new outline, per scale. compactness: of log 4πA/P².
    depth, off_center: of the changed part around the click, as in RegionMeasures. alone: of the
    logarithm of that part's share of all that changed."""

    edges: tuple[float, ...] = (15.4, 20.6, 11.8)
    compactness: float = 3.0
    depth: float = 6.0
    off_center: float = -10.0
    alone: float = 6.0
    log_area: float = 0.0


def best_edit(
    outlines: Sequence[Bools], last: Bools, hint: Hint, canvas: Canvas, weights: EditWeights
) -> int:
    """Number of the best outline; each agrees with the hint, the last one does not."""
    scores = [edit_score(one, last, hint, canvas, weights) for one in outlines]
    return int(np.argmax(scores))


def edit_score(
    outline: Bools, last: Bools, hint: Hint, canvas: Canvas, weights: EditWeights
) -> float:
    changed = outline != last
    part, share = _part_at(changed, hint)
    area = max(1, int(part.sum()))
    radius = np.sqrt(area / np.pi)
    rows, columns = np.nonzero(part)
    row, column = hint.center
    off = float(np.hypot(rows.mean() - row, columns.mean() - column)) / radius if len(rows) else 1.0
    total = float(weights.alone * np.log(share))
    if hint.is_click:
        total += weights.depth * float(np.log(np.clip(_depth(part, hint) / radius, 1e-2, 1.2)))
        total += weights.off_center * off
    total += weights.log_area * np.log(area)
    return total + _outline_score(outline, canvas, weights)


def _part_at(changed: Bools, hint: Hint) -> tuple[Bools, float]:
    """The connected part of what changed that holds the hint's first pixel, and its share."""
    labels, _ = ndimage.label(changed)
    number = labels[tuple(hint.pixels[0])]
    part = labels == number if number else np.zeros_like(changed)
    return part, max(1, int(part.sum())) / max(1, int(changed.sum()))


def _depth(part: Bools, hint: Hint) -> float:
    rows, columns = np.nonzero(~part)
    if len(rows) == 0:
        return 1e4
    row, column = hint.center
    return float(np.sqrt(((rows - row) ** 2 + (columns - column) ** 2).min()))


def _outline_score(outline: Bools, canvas: Canvas, weights: EditWeights) -> float:
    first, second = straight_pairs(outline.astype(np.int8))
    border = np.flatnonzero(first != second)
    if len(border) == 0:
        return -np.inf
    edges = sum(w * float(e[border].mean()) for w, e in zip(weights.edges, canvas.edges, strict=True))
    length = np.pi / 4 * len(border)
    compact = min(1.0, 4 * np.pi * float(outline.sum()) / length**2)
    return edges + weights.compactness * float(np.log(max(compact, 1e-3)))
