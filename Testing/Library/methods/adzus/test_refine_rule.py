import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from DiffusionSegLib.methods.adzus.refine_rule import part_radius, refine_plane
from Testing.Library.methods.adzus.disc_planes import dice, disc, plane_showing

SIZE = (96, 80)
TRUTH = disc(SIZE, (46, 40), 20)
PLANE = plane_showing(TRUTH)
NONE = np.zeros(SIZE, bool)

WRONG = {
    "hole": TRUTH & ~disc(SIZE, (44, 36), 8),
    "bump": TRUTH | disc(SIZE, (46, 64), 9),
    "bite": TRUTH & ~disc(SIZE, (30, 34), 10),
    "shift": disc(SIZE, (50, 46), 20),
    "too large": disc(SIZE, (46, 40), 26),
    "too small": disc(SIZE, (46, 40), 14),
}


@pytest.mark.parametrize("mask", WRONG.values(), ids=WRONG)
def test_a_mistake_is_repaired_without_any_stroke(mask):
    refined = refine_plane(PLANE, mask, NONE, NONE)
    wrong, left = 1 - dice(mask, TRUTH), 1 - dice(refined.mask, TRUTH)
    assert wrong > 0.05
    assert left < 0.7 * wrong
    assert left < 0.1


def test_a_right_mask_stays():
    refined = refine_plane(PLANE, TRUTH, NONE, NONE)
    assert dice(refined.mask, TRUTH) > 0.99
    assert refined.score > 0.99


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_what_the_user_fixed_is_exact_whatever_it_says(seed):
    rng = np.random.default_rng(seed)
    kinds = rng.choice(3, SIZE, p=[0.9, 0.05, 0.05])
    mask = rng.random(SIZE) < rng.random()
    found = refine_plane(PLANE, mask, kinds == 1, kinds == 2)
    assert (found.probability[kinds == 1] == 1).all()
    assert (found.probability[kinds == 2] == 0).all()
    assert found.probability.dtype == np.float32
    assert found.probability.min() >= 0
    assert found.probability.max() <= 1


def test_a_pixel_that_is_fixed_both_ways_is_inside():
    both = disc(SIZE, (5, 5), 2)
    assert refine_plane(PLANE, TRUTH, both, both).mask[both].all()


def test_a_stroke_changes_more_than_its_pixels():
    # Where colors say nothing only the stroke tells that the mask goes on.
    plane = plane_showing(NONE, noise=0.01)
    mask = disc(SIZE, (46, 40), 20)
    stroke = disc(SIZE, (46, 70), 4)
    before = refine_plane(plane, mask, NONE, NONE).mask
    after = refine_plane(plane, mask | stroke, stroke, NONE).mask
    gained = after & ~before & ~stroke
    assert gained[:, 55:].sum() > 0.5 * stroke.sum()
    erased = disc(SIZE, (46, 40), 4)
    hole = refine_plane(plane, mask & ~erased, NONE, erased).mask
    assert (before & ~hole & ~erased).sum() > 0.5 * erased.sum()


def test_pixels_far_from_the_outline_stay():
    far = disc(SIZE, (90, 74), 4)  # as bright as the object, but more than its radius away
    plane = plane_showing(TRUTH | far)
    refined = refine_plane(plane, WRONG["bite"], NONE, NONE)
    assert not refined.mask[far].any()


@pytest.mark.parametrize("value", [False, True])
def test_an_empty_and_a_full_mask_stay(value):
    mask = np.full(SIZE, value)
    assert (refine_plane(PLANE, mask, NONE, NONE).mask == mask).all()


def test_the_radius_of_parts_follows_the_large_ones():
    one = disc(SIZE, (30, 30), 15)
    assert part_radius(one) == pytest.approx(15, abs=0.3)
    speck = one.copy()
    speck[80, 70] = True
    assert part_radius(speck) == pytest.approx(part_radius(one), abs=0.1)
