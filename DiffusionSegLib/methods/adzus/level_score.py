"""Which of many nested regions looks most like a thing of its own: a choice of ours.

M2N2 (arXiv:2411.10411) takes the region whose border runs along the strongest edges. A click says
more than that: people click into the middle of a structure. So the border's edges at three scales,
the region's roundness, where the click lies in it, and how common its size is are added up. The
weights were chosen on outlines of the training and validation parts of open sets of skin lesions,
brain, lung and liver tumors and sarcomas (`Testing/Benchmarks/tune_level_score.py`); neither the
network nor anything else has seen a mask.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.methods.adzus.nested import RegionMeasures

__all__ = ["ScoreWeights", "level_scores", "measure_table"]

Floats = NDArray[np.float64]
_SMALLEST_AREA = 2e-4  # share of the picture
_LARGEST_AREA = 0.6
_NEUTRAL_DEPTH, _NEUTRAL_OFFSET = 0.6, 0.15  # for strokes and boxes, which are not put in a middle


@dataclass(frozen=True)
class ScoreWeights:
    """Of the columns of measure_table, in that order."""

    edges: tuple[float, ...] = (15.4, 20.6, 11.8)
    compactness: float = 3.1
    depth: float = 9.5
    off_center: float = -16.5
    at_frame: float = -2.6
    log_area: float = -2.5
    log_area_squared: float = -0.33

    @property
    def vector(self) -> Floats:
        """(columns,)."""
        rest = (self.compactness, self.depth, self.off_center, self.at_frame)
        return np.array([*self.edges, *rest, self.log_area, self.log_area_squared])


def measure_table(measures: RegionMeasures, is_click: bool) -> Floats:
    """(levels, columns): what the score is linear in."""
    depth = measures.depth if is_click else np.full_like(measures.depth, _NEUTRAL_DEPTH)
    offset = measures.off_center if is_click else np.full_like(depth, _NEUTRAL_OFFSET)
    log_area = np.log(measures.area)
    columns = (
        *measures.edges, np.log(measures.compactness), np.log(depth), np.log1p((offset / 0.25) ** 2),
        measures.at_frame, log_area, log_area**2,
    )  # fmt: skip
    return np.stack(columns, axis=1)


def level_scores(measures: RegionMeasures, weights: ScoreWeights, is_click: bool) -> Floats:
    """(levels,): higher is better; minus infinity for regions too small or too large to be meant.
    """
    scores = measure_table(measures, is_click) @ weights.vector
    meant = (measures.area >= _SMALLEST_AREA) & (measures.area <= _LARGEST_AREA)
    return np.where(meant, scores, -np.inf)
