"""Which of many nested regions looks most like a thing of its own: a choice of ours.

M2N2 (arXiv:2411.10411) takes the region whose border runs along the strongest edges. A click says
more than that: people click into the middle of a structure. So the border's edges at three scales
and its gaps, the texture inside, the region's roundness, where the click lies in it, how common its
size is, how much a walk over attention keeps to it, whether it ends where the body ends, and which
distance it came from, are added up. These weights were chosen on outlines of open sets of skin
lesions, brain, lung and liver tumors, sarcomas, nuclei, livers, pancreases and hippocampi, without
their test parts where they have one (in the way of
`python -m Testing.Benchmarks.tune_clicks`); the network has never seen a mask.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.methods.adzus.nested import RegionMeasures

__all__ = ["LARGEST_AREA", "ScoreWeights", "level_scores", "measure_table"]

Floats = NDArray[np.float64]
_SMALLEST_AREA = 2e-4  # share of the body
LARGEST_AREA = 0.6
_USUAL_OFFSET = 0.25  # of a region's radius
_NEUTRAL_DEPTH, _NEUTRAL_OFFSET = 0.6, 0.15  # for strokes and boxes, which are not put in a middle


@dataclass(frozen=True)
class ScoreWeights:
    """Of the columns of measure_table, in that order."""

    edges: tuple[float, ...] = (0.33, 0.25, 1.31)
    compactness: float = 7.81
    depth: float = 6.41
    off_center: float = -3.49
    at_frame: float = -1.98
    log_area: float = -0.77
    log_area_squared: float = -0.27
    normalized_cut: float = -0.21
    gaps: float = -12.19
    rim: float = -43.49
    texture: float = 4.97
    from_attention: float = -4.21
    from_edges: float = -3.45

    @property
    def vector(self) -> Floats:
        """(columns,)."""
        rest = (self.compactness, self.depth, self.off_center, self.at_frame)
        looks = (self.gaps, self.rim, self.texture, self.from_attention, self.from_edges)
        area = (self.log_area, self.log_area_squared)
        return np.array([*self.edges, *rest, *area, self.normalized_cut, *looks])


def measure_table(measures: RegionMeasures, cuts: Floats, source: str, is_click: bool) -> Floats:
    """(levels, columns): what the score is linear in. cuts: see normalized_cuts; source: of the
    distances (PlaneReader.distances)."""
    depth = measures.depth if is_click else np.full_like(measures.depth, _NEUTRAL_DEPTH)
    offset = measures.off_center if is_click else np.full_like(depth, _NEUTRAL_OFFSET)
    log_area = np.log(measures.area)
    columns = (
        *measures.edges, np.log(measures.compactness), np.log(depth),
        np.log1p((offset / _USUAL_OFFSET) ** 2), measures.at_frame, log_area, log_area**2,
        np.log(np.maximum(cuts, 1e-3)), measures.gaps, measures.rim, measures.texture,
        *(np.full(len(cuts), float(source == one)) for one in ("attention", "edges")),
    )  # fmt: skip
    return np.stack(columns, axis=1)


def level_scores(
    measures: RegionMeasures, cuts: Floats, source: str, weights: ScoreWeights, is_click: bool
) -> Floats:
    """(levels,): higher is better; minus infinity for regions too small or too large to be meant.
    """
    scores = measure_table(measures, cuts, source, is_click) @ weights.vector
    meant = (measures.area >= _SMALLEST_AREA) & (measures.area <= LARGEST_AREA)
    return np.where(meant, scores, -np.inf)
