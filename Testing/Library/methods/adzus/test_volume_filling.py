"""Gaps, smoothing and parts, against hand-computed volumes."""

import numpy as np
import pytest

from DiffusionSegLib.methods.adzus.volume_filling import fill_gap, keep_clicked, smooth_slices
from Testing.Library.methods.adzus.disc_planes import dice, disc

SIZE = (48, 48)


def test_a_gap_between_discs_holds_discs_between_them():
    stack = np.zeros((5, *SIZE), dtype=np.float16)
    stack[0], stack[4] = disc(SIZE, (20, 20), 6), disc(SIZE, (20, 20), 14)
    fill_gap(stack, 0, 4, (1.0, 1.0))
    for number, radius in ((1, 8), (2, 10), (3, 12)):
        assert dice(stack[number] >= 0.5, disc(SIZE, (20, 20), radius)) > 0.95


def test_neighbors_have_no_gap():
    stack = np.random.default_rng(0).random((2, *SIZE)).astype(np.float16)
    before = stack.copy()
    fill_gap(stack, 0, 1, (1.0, 1.0))
    assert np.array_equal(stack, before)


@pytest.mark.parametrize("weight", [0.0, 0.2, 1 / 3])
def test_smoothing_is_a_mean_of_three_and_keeps_marked_slices(weight):
    stack = np.zeros((5, 1, 1))
    stack[:, 0, 0] = [9, 1, 0, 1, 0]
    smooth_slices(stack, 1, 4, weight, kept={3})
    expected = [9, 1 - weight, 2 * weight, 1, weight]
    np.testing.assert_allclose(stack[:, 0, 0], expected, atol=1e-6)


def test_only_parts_with_a_click_stay():
    stack = np.zeros((4, *SIZE), dtype=np.float16)
    stack[1:3, 5:10, 5:10], stack[1:3, 30:40, 30:40] = 0.9, 0.8
    stack[:, 20, 20] = 0.3  # below the outline: stays as it is
    keep_clicked(stack, 0, 3, [np.array([[2, 6, 6]])])
    assert stack[1:3, 5:10, 5:10].min() > 0.8 and not stack[:, 30:40, 30:40].any()
    assert (stack[:, 20, 20] > 0).all()


def test_without_a_click_in_any_the_largest_stays():
    stack = np.zeros((4, *SIZE), dtype=np.float16)
    stack[1:3, 5:10, 5:10], stack[1:3, 30:40, 30:40] = 0.9, 0.8
    keep_clicked(stack, 0, 3, [np.array([[0, 0, 0]])])
    assert not stack[:, 5:10, 5:10].any() and stack[1:3, 30:40, 30:40].all()
