import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from DiffusionSegLib.methods.adzus.canvas import make_canvas
from DiffusionSegLib.methods.adzus.choosing import meant_regions
from DiffusionSegLib.methods.adzus.hints import Hint, disc_hint
from DiffusionSegLib.methods.adzus.nested import measure_regions, nested_regions
from DiffusionSegLib.methods.adzus.reading import Family

SIZE = (9, 11)
CLICK = disc_hint(4, 5, SIZE, True)


def family(seed, spread=2.0):
    """Random nested regions around the click, with random scores; a few are not meant at all."""
    rng = np.random.default_rng(seed)
    values = rng.random(SIZE).round(2).astype(np.float32)
    values[4, 5] = 0.1
    regions = nested_regions(values)
    canvas = make_canvas(np.full((*SIZE, 3), 0.5, np.float32))
    measures = measure_regions(regions, canvas, CLICK.center)
    scores = spread * rng.normal(size=len(regions.areas))
    scores[rng.random(len(scores)) < 0.2] = -np.inf
    return Family("made", regions, measures, np.ones(len(scores)), scores)


def readings(families, hint, opposite, granularity):
    """(region, weight) of every level that is a reading, one after the other."""
    found = []
    for one in families:
        for level, score in enumerate(one.scores):
            region = one.regions.region(level)
            area = one.measures.area[level]
            if not region[tuple(hint.pixels.T)].all() or not np.isfinite(score):
                continue
            if any(region[tuple(other.pixels.T)].any() for other in opposite):
                continue
            found.append((region, np.exp(score) * area ** (6 * (2 * granularity - 1))))
    return found


@settings(max_examples=40)
@given(
    st.integers(0, 999), st.integers(1, 3), st.floats(0.0, 1.0),
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 10)), max_size=2),
)  # fmt: skip
def test_probability_is_the_share_of_the_readings(seed, count, granularity, away):
    families = [family(seed + n) for n in range(count)]
    opposite = [disc_hint(*place, SIZE, False) for place in away]
    found = meant_regions(families, CLICK, opposite, granularity, 4)
    wanted = readings(families, CLICK, opposite, granularity)
    if not wanted:
        alone = np.zeros(SIZE)
        alone[4, 5] = 1
        assert np.array_equal(found.probability, alone)
        assert len(found.likeliest) == 1
        assert np.array_equal(found.likeliest[0].outline, alone > 0)
        return
    total = sum(weight for _, weight in wanted)
    share = sum(region * weight for region, weight in wanted) / total
    assert np.allclose(found.probability, share, atol=1e-5)
    assert found.probability[4, 5] == pytest.approx(1.0, abs=1e-5)
    for other in opposite:
        assert found.probability[tuple(other.pixels.T)].max() == 0
    best = max(weight for _, weight in wanted)
    assert found.likeliest[0].likelihood == pytest.approx(best / total, rel=1e-4)
    assert len(found.likeliest) <= 4
    likelihoods = [one.likelihood for one in found.likeliest]
    assert likelihoods == sorted(likelihoods, reverse=True)
    for one in found.likeliest:
        assert any(np.array_equal(one.outline, region) for region, _ in wanted)
        assert not any(one.differs(other) == 0 for other in found.likeliest if other is not one)


@settings(max_examples=20)
@given(st.integers(0, 999))
def test_the_slider_moves_from_part_to_whole(seed):
    families = [family(seed), family(seed + 1)]
    areas, best = [], []
    for granularity in np.linspace(0, 1, 9):
        found = meant_regions(families, CLICK, (), float(granularity), 3)
        areas.append(found.probability.sum())
        best.append(found.likeliest[0].outline.sum())
    assert (np.diff(areas) >= -1e-3).all()
    assert (np.diff(best) >= 0).all()
    assert areas[-1] > areas[0]


def test_a_stroke_must_be_held_whole():
    stroke = Hint(np.array([[4, 5], [0, 0], [8, 10]]), True, is_click=False)
    found = meant_regions([family(3, 0.5)], stroke, (), 0.5, 5)
    for one in found.likeliest:
        assert one.outline[tuple(stroke.pixels.T)].all()
    assert found.probability[tuple(stroke.pixels.T)] == pytest.approx(1.0, abs=1e-5)


def test_an_opposite_hint_on_the_click_leaves_nothing_but_the_click():
    found = meant_regions([family(0)], CLICK, [disc_hint(4, 5, SIZE, False)], 0.5, 3)
    assert found.probability.sum() == 1
    assert found.likeliest[0].likelihood == 0.0


def test_scores_far_apart_do_not_overflow():
    one = family(1, spread=1e4)
    found = meant_regions([one], CLICK, (), 0.5, 3)
    assert np.isfinite(found.probability).all()
    assert found.probability.max() == pytest.approx(1.0)
