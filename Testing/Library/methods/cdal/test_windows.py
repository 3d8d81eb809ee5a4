import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.methods.cdal.windows import (
    blend_weight,
    put_window,
    take_window,
    window_positions,
)

shapes = st.tuples(*[st.integers(1, 9)] * 3)
windows = st.tuples(*[st.sampled_from([1, 2, 4, 7])] * 3)
overlaps = st.floats(0, 0.9)


@given(shapes, windows, overlaps)
def test_windows_cover_everything_and_stay_inside(shape, window, overlap):
    starts = window_positions(shape, window, overlap)
    covered = np.zeros((1, *shape), np.float32)
    for start in starts:
        put_window(covered, np.ones((1, *window), np.float32), start)
        for first, size, width in zip(start, shape, window, strict=True):
            assert (first >= 0 and first + width <= size) or (width >= size and first <= 0)
    assert covered.min() >= 1
    assert len(set(starts)) == len(starts)


@given(st.integers(9, 60), st.sampled_from([4, 8]), st.sampled_from([0.0, 0.25, 0.5, 0.75]))
def test_neighbours_share_at_least_the_overlap(size, window, overlap):
    starts = [start for (start,) in window_positions((size,), (window,), overlap)]
    steps = np.diff(starts)
    assert starts[0] == 0
    assert starts[-1] == size - window
    assert (steps <= window * (1 - overlap)).all()


@given(st.integers(1, 8), st.sampled_from([8, 11]))
def test_a_small_image_lies_in_the_middle_of_its_window(size, window):
    ((start,),) = window_positions((size,), (window,), 0.5)
    before, after = -start, window - size + start
    assert abs(before - after) <= 1
    assert before >= 0


@given(shapes, windows, overlaps, st.integers(0, 99))
def test_what_was_taken_can_be_put_back(shape, window, overlap, seed):
    array = np.random.default_rng(seed).normal(size=(2, *shape)).astype(np.float32)
    total, weights = np.zeros_like(array), np.zeros((1, *shape), np.float32)
    weight = blend_weight(window, overlap)[None]
    for start in window_positions(shape, window, overlap):
        piece = take_window(array, start, window)
        assert piece.shape == (2, *window)
        put_window(total, piece * weight, start)
        put_window(weights, weight, start)
    assert np.allclose(total / weights, array, atol=1e-4)


def test_beyond_the_image_the_border_is_repeated():
    array = np.arange(3, dtype=np.float32).reshape(1, 1, 1, 3)
    piece = take_window(array, (0, 0, -2), (1, 1, 7))
    assert piece.ravel().tolist() == [0, 0, 0, 1, 2, 2, 2]


@given(windows, overlaps)
def test_weights_are_positive_and_symmetric(window, overlap):
    weight = blend_weight(window, overlap)
    assert weight.shape == window
    assert weight.min() >= 1e-3 - 1e-9
    assert weight.max() <= 1
    for axis in range(3):
        assert np.array_equal(weight, np.flip(weight, axis))


def test_weights_fall_off_towards_the_border_of_what_overlaps():
    weight = blend_weight((1, 16, 16), 0.25)
    line = weight[0, 8]
    assert (np.diff(line[:5]) > 0).all()
    assert line[4:12] == pytest.approx(1.0)
    assert blend_weight((4, 4, 4), 0.0) == pytest.approx(1.0)
