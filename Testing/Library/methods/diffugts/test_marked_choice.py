import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.methods.diffugts.marked_choice import (
    MARK_FEATURES,
    MarkedChoice,
    SliceMarks,
    UntrainedMarkedChoice,
    mark_features,
)
from DiffusionSegLib.methods.diffugts.region_features import FEATURES, SliceFacts, region_features
from Testing.Library.methods.diffugts.slow_maps import gelu, line, weights_of
from Testing.Library.methods.diffugts.test_region_candidates import disc
from Testing.Library.reference.awake import awake

SHAPE = (40, 40)
BODY = disc(SHAPE, (20, 20), 18)
ONE, TWO = disc(SHAPE, (14, 12), 5), disc(SHAPE, (26, 28), 5)
SLICE = np.where(ONE, 0.9, np.where(TWO, 0.2, np.where(BODY, 0.5, 0))).astype(np.float32)
REGIONS = np.stack([ONE, TWO, BODY])


def marks(include=(), exclude=(), allowed=None):
    found = [np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)]
    for mask, places in zip(found, (include, exclude), strict=True):
        for place in places:
            mask[place] = True
    return SliceMarks(*found, np.ones(SHAPE, bool) if allowed is None else allowed)


def chosen(given, choice=None, regions=REGIONS):
    facts = SliceFacts.of(SLICE, np.zeros_like(SLICE))
    told = [region_features(facts, regions), mark_features(facts, regions, given)]
    return (choice or UntrainedMarkedChoice()).choose(regions, np.concatenate(told, axis=1), given)


def test_the_numbers_of_marks_by_hand():
    facts = SliceFacts.of(SLICE, np.zeros_like(SLICE))
    given = marks([(14, 10), (14, 14)])
    found = mark_features(facts, REGIONS, given)
    one, two, _ = (dict(zip(MARK_FEATURES, row, strict=True)) for row in found)
    assert one["marks inside"] == 1 and two["marks inside"] == 0
    assert one["off the marks"] == pytest.approx(0, abs=1e-6)
    away = np.hypot(26 - 14, 28 - 12) / np.sqrt(TWO.sum())
    assert two["off the marks"] == pytest.approx(away, rel=1e-5)
    assert one["size over marks"] == pytest.approx(np.log(ONE.sum() / 4**2), rel=1e-5)
    assert one["margin"] > 0 and two["margin"] == 0
    assert one["unlike the marks"] < 0.15 < 1 < two["unlike the marks"]
    assert mark_features(facts, REGIONS[:0], given).shape == (0, len(MARK_FEATURES))


@pytest.mark.parametrize(("place", "truth"), [((14, 12), ONE), ((26, 28), TWO)])
def test_a_mark_means_the_region_around_it(place, truth):
    found = chosen(marks([place]))
    assert np.array_equal(found.best, truth)
    assert found.belief[place] == 1.0
    assert 0 < found.quality < 1


def test_an_excluded_mark_rules_a_region_out():
    found = chosen(marks([(14, 12)], [(14, 15)]))
    assert not found.best[14, 15] and found.belief[14, 15] == 0.0
    assert found.belief[14, 12] == 1.0


def test_where_no_region_is_meant_the_marks_are_the_answer():
    found = chosen(marks([(2, 2), (2, 3)]))
    assert found.quality == 0.5
    wanted = np.zeros(SHAPE, bool)
    for row, column in np.ndindex(SHAPE):
        wanted[row, column] = min(abs(row - 2) + abs(column - c) for c in (2, 3)) <= 2
    assert np.array_equal(found.best, wanted)
    assert np.array_equal(found.belief > 0, wanted)


def test_without_any_regions_too():
    found = chosen(marks([(20, 20)]), regions=np.zeros((0, *SHAPE), bool))
    assert found.best[20, 20] and found.best.sum() == 13


@given(st.tuples(st.integers(4, 30), st.integers(4, 30)), st.integers(3, 8))
def test_nothing_is_believed_outside_what_is_allowed(corner, side):
    allowed = np.zeros(SHAPE, bool)
    allowed[corner[0] : corner[0] + side, corner[1] : corner[1] + side] = True
    middle = (corner[0] + side // 2, corner[1] + side // 2)
    found = chosen(marks([middle], allowed=allowed))
    assert not (found.belief[~allowed] > 0).any() and not found.best[~allowed].any()


@torch.no_grad()
def test_the_trained_rule_is_one_hidden_layer_over_limited_features():
    choice = awake(MarkedChoice(6), 3)
    count = len(FEATURES) + len(MARK_FEATURES)
    choice.mean.fill_(0.5)
    choice.spread.fill_(2.0)
    given = np.random.default_rng(0).normal(0, 6, (5, count))
    plain = np.clip((given - 0.5) / 2, -4, 4)
    weights = weights_of(choice)
    told = np.concatenate([plain, plain**2 / 4], axis=1)
    wanted = line(gelu(line(told.T, weights, "first")), weights, "last")[0]
    found = choice(torch.from_numpy(given.astype(np.float32)))
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-4, atol=1e-5)
