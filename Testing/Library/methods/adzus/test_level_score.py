"""The numbers of the weights are not tested: they are chosen on data, and may change."""

from dataclasses import fields, replace

import numpy as np
import pytest

from DiffusionSegLib.methods.adzus.level_score import ScoreWeights, level_scores, measure_table
from DiffusionSegLib.methods.adzus.nested import RegionMeasures

RNG = np.random.default_rng(0)
AREAS = np.array([1e-4, 2e-4, 0.01, 0.1, 0.6, 0.61])
COUNT = len(AREAS)
MEASURES = RegionMeasures(
    AREAS,
    tuple(RNG.random(COUNT) for _ in range(3)),
    RNG.uniform(0.1, 1, COUNT),
    RNG.uniform(0.1, 1, COUNT),
    *(RNG.random(COUNT) for _ in range(5)),
)
CUTS = RNG.uniform(0, 2, COUNT)
NAMES = [
    "edges", "edges", "edges", "compactness", "depth", "off_center", "at_frame", "log_area",
    "log_area_squared", "normalized_cut", "gaps", "rim", "texture", "from_attention", "from_edges",
]  # fmt: skip


@pytest.mark.parametrize("source", ["color", "edges", "attention"])
def test_the_columns_by_hand(source):
    table = measure_table(MEASURES, CUTS, source, True)
    for level in range(COUNT):
        wanted = [
            *(one[level] for one in MEASURES.edges),
            np.log(MEASURES.compactness[level]),
            np.log(MEASURES.depth[level]),
            np.log(1 + (MEASURES.off_center[level] / 0.25) ** 2),
            MEASURES.at_frame[level],
            np.log(AREAS[level]),
            np.log(AREAS[level]) ** 2,
            np.log(CUTS[level]),
            MEASURES.gaps[level],
            MEASURES.rim[level],
            MEASURES.texture[level],
            float(source == "attention"),
            float(source == "edges"),
        ]
        assert table[level] == pytest.approx(wanted)


def test_weights_come_in_the_order_of_the_columns():
    tables = {one: measure_table(MEASURES, CUTS, one, True) for one in ("attention", "edges")}
    nothing = ScoreWeights((0.0,) * 3, **{one.name: 0.0 for one in fields(ScoreWeights)[1:]})
    assert len(nothing.vector) == tables["edges"].shape[1] == len(NAMES)
    for number, name in enumerate(NAMES):
        if name == "edges":
            weights = replace(nothing, edges=tuple(float(number == n) for n in range(3)))
        else:
            weights = replace(nothing, **{name: 1.0})
        for source, table in tables.items():
            found = level_scores(MEASURES, CUTS, source, weights, True)
            assert found[1:5] == pytest.approx(table[1:5, number]), (name, source)


@pytest.mark.parametrize("is_click", [True, False])
def test_regions_too_small_or_too_large_are_not_meant(is_click):
    found = level_scores(MEASURES, CUTS, "color", ScoreWeights(), is_click)
    assert np.isfinite(found).tolist() == [False, True, True, True, True, False]


def test_where_a_stroke_lies_does_not_count():
    elsewhere = replace(MEASURES, depth=MEASURES.depth / 3, off_center=MEASURES.off_center * 2)
    weights = ScoreWeights()
    for is_click in (True, False):
        one, other = (
            level_scores(measures, CUTS, "color", weights, is_click)[1:5]
            for measures in (MEASURES, elsewhere)
        )
        assert np.allclose(one, other) != is_click


def test_no_cut_at_all_is_no_infinite_score():
    assert np.isfinite(measure_table(MEASURES, np.zeros(COUNT), "color", True)).all()
