from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.diffusion.latent_windows import (
    Span,
    Window,
    WindowLayout,
    fitted_size,
    layout_around,
    shared_box,
)


@st.composite
def masks(draw, most=14):
    """Any mask of one to three axes, never empty."""
    shape = draw(st.lists(st.integers(1, most), min_size=1, max_size=3))
    mask = torch.zeros(shape)
    for _ in range(draw(st.integers(1, 4))):
        mask[tuple(draw(st.integers(0, n - 1)) for n in shape)] = draw(st.sampled_from([0.01, 1]))
    if draw(st.integers(0, 9)) == 0:
        mask[:] = 1
    return mask


@st.composite
def laid(draw):
    mask = draw(masks())
    size = [draw(st.integers(1, 8)) for _ in mask.shape]
    overlap, margin = draw(st.sampled_from([0.0, 0.25, 0.5, 0.9])), draw(st.integers(0, 5))
    return mask, size, margin, layout_around(mask, size, overlap, margin)


def whole(mask):
    return tuple(slice(0, n) for n in mask.shape)


def believed(mask, windows):
    """How often each place is believed."""
    count = torch.zeros(mask.shape)
    for window in windows:
        count[window.used()] += 1
    return count


@given(laid())
def test_every_place_lies_in_a_window_of_one_size_within_the_grid(case):
    mask, size, _, layout = case
    assert layout.places == tuple(mask.shape)
    assert believed(mask, layout.windows()).min() >= 1
    for window in layout.windows():
        for span, width, count in zip(window.spans, size, mask.shape, strict=True):
            assert 0 <= span.start <= span.first < span.last <= span.end <= count
            assert span.end - span.start == min(width, count)
    assert len(set(layout.windows())) == len(layout.windows())


@given(laid())
def test_skipped_windows_say_nothing_about_masked_places(case):
    mask, _, _, layout = case
    touching = layout.touching(mask)
    every = believed(mask, layout.windows())
    assert torch.equal(believed(mask, touching)[mask > 0], every[mask > 0])
    assert all(bool((mask[window.used()] > 0).any()) for window in touching)
    slowly = [w for w in layout.windows() if bool((mask[w.used()] > 0).any())]
    assert sorted(map(str, touching)) == sorted(map(str, slowly))


@given(laid(), st.sampled_from([1, 2, 3]))
def test_weights_sum_to_what_the_layout_says_and_shares_to_one(case, scale):
    mask, _, _, layout = case
    total = torch.zeros([n * scale for n in mask.shape])
    for window in layout.windows():
        total[window.read(scale)] += window.weight(scale)
    wanted = layout.weight(whole(mask), scale)
    assert torch.allclose(total, wanted, rtol=1e-5)
    assert float(total.min()) > 0
    shares = torch.zeros_like(total)
    for window in layout.windows():
        shares[window.read(scale)] += window.weight(scale) / wanted[window.read(scale)]
    assert torch.allclose(shares, torch.ones(()), atol=1e-5)


@given(laid(), st.sampled_from([1, 2]))
def test_weights_are_above_zero_where_a_window_is_believed_and_nowhere_else(case, scale):
    _, _, _, layout = case
    for window in layout.windows():
        weight = window.weight(scale)
        inner = tuple(
            slice((s.first - s.start) * scale, (s.last - s.start) * scale) for s in window.spans
        )
        assert bool((weight[inner] > 0).all())
        assert float(weight.sum()) == pytest.approx(float(weight[inner].sum()))


@given(laid())
def test_a_mask_that_fits_with_its_margin_costs_one_window(case):
    mask, size, margin, layout = case
    found = (mask > 0).nonzero()
    low, high = found.min(0).values.tolist(), (found.max(0).values + 1).tolist()
    fits = all(
        min(n, b + margin) - max(0, a - margin) <= width
        for a, b, n, width in zip(low, high, mask.shape, size, strict=True)
    )
    if not fits:
        return
    (window,) = layout.touching(mask)
    for a, b, n, span in zip(low, high, mask.shape, window.spans, strict=True):
        assert span.start <= max(0, a - margin) and span.end >= min(n, b + margin)
        before, after = a - span.start, span.end - b
        if span.start > 0 and span.end < n:  # no border in the way
            assert abs(before - after) <= 1


def test_by_hand():
    """Two axes' worth of hand-made rows: fits, at the border, too long, pushed back."""
    row = torch.zeros(64)
    row[24:40] = 1
    assert layout_around(row, (32,)).axes == (
        (Span(0, 32, 0, 24), Span(16, 48, 16, 48), Span(32, 64, 40, 64)),
    )
    row = torch.zeros(20)
    row[0] = 1
    assert layout_around(row, (8,), 0.25, 2).axes == (
        (Span(0, 8, 0, 8), Span(6, 14, 6, 14), Span(12, 20, 12, 20)),
    )
    row = torch.ones(10)
    assert layout_around(row, (8,), 0.5).axes == ((Span(0, 8, 0, 8), Span(2, 10, 4, 10)),)
    assert layout_around(torch.ones(5), (8,)).axes == ((Span(0, 5, 0, 5),),)


def test_spots_far_apart_get_a_window_each():
    mask = torch.zeros(100, 100)
    mask[3, 3] = mask[50, 96] = mask[97, 5] = 1
    layout = layout_around(mask, (16, 16))
    assert len(layout.windows()) > 40
    assert 3 <= len(layout.touching(mask)) <= 6


def test_the_number_of_windows_goes_with_the_mask_and_not_with_the_grid():
    counts = []
    for side in (40, 80):
        mask = torch.zeros(side, side, side)
        mask[10:31, 10:31, 10:31] = 1
        counts.append(len(layout_around(mask, (16, 16, 16)).touching(mask)))
    assert counts[0] == counts[1] == 27


@pytest.mark.parametrize("overlap", [-0.1, 0.95])
def test_overlaps_out_of_range_are_refused(overlap):
    with pytest.raises(ValueError, match="overlap"):
        layout_around(torch.ones(4), (2,), overlap)


def test_an_empty_mask_has_no_layout_and_touches_nothing():
    with pytest.raises(ValueError, match="empty"):
        layout_around(torch.zeros(4, 4), (2, 2))
    layout = layout_around(torch.ones(4, 4), (2, 2))
    assert layout.touching(torch.zeros(4, 4)) == []


def test_moved_windows_read_the_same_places_of_a_part():
    window = Window((Span(4, 12, 5, 12), Span(0, 8, 0, 7)))
    moved = window.moved((3, 0))
    assert moved == Window((Span(1, 9, 2, 9), Span(0, 8, 0, 7)))
    assert torch.equal(moved.weight(2), window.weight(2))
    assert window.read(2) == (slice(8, 24), slice(0, 16))


def test_the_shared_box_holds_all_windows():
    mask = torch.zeros(30, 30)
    mask[5, 5] = mask[20, 9] = 1
    touching = layout_around(mask, (8, 8)).touching(mask)
    box = shared_box(touching)
    assert all(
        side.start <= span.start and span.end <= side.stop
        for window in touching
        for side, span in zip(box, window.spans, strict=True)
    )
    for axis, side in enumerate(box):
        assert side.start == min(w.spans[axis].start for w in touching)
        assert side.stop == max(w.spans[axis].end for w in touching)


@given(
    masks(16), st.sampled_from([1, 4, 8]), st.integers(1, 16), st.integers(1, 40),
    st.sampled_from([0.0, 0.25, 0.5]), st.integers(0, 4),
)  # fmt: skip
def test_fitted_windows_are_the_smallest_that_are_as_few(
    mask, step, smallest, largest, overlap, margin
):
    pads = [n for side in reversed(mask.shape) for n in (0, -side % step)]
    mask = torch.nn.functional.pad(mask, pads)

    box = (mask > 0).nonzero()

    def needed(side, axis):
        """Windows in a row until the box and its margin are covered."""
        low = max(0, int(box[:, axis].min()) - margin)
        high = min(mask.shape[axis], int(box[:, axis].max()) + 1 + margin)
        stride, number = max(1, round(side * (1 - overlap))), 1
        while low + (number - 1) * stride + side < high:
            number += 1
        return number

    size = fitted_size([mask, torch.zeros_like(mask)], step, smallest, largest, overlap, margin)
    limits = [max(step, min(largest, count) // step * step) for count in mask.shape]
    assert all(
        side % step == 0 and min(smallest, most) <= side <= most
        for side, most in zip(size, limits, strict=True)
    )
    for axis, (side, most) in enumerate(zip(size, limits, strict=True)):
        assert needed(side, axis) <= needed(most, axis)
        smaller = range(step, side, step)
        assert all(needed(s, axis) > needed(most, axis) for s in smaller if s >= smallest)
    for axis, spans in enumerate(layout_around(mask, size, overlap, margin).axes):
        low, high = box[:, axis].min(), box[:, axis].max() + 1
        assert sum(s.first < high and low < s.last for s in spans) <= needed(size[axis], axis)


def test_fitted_windows_follow_the_largest_mask():
    small, wide = torch.zeros(64, 64), torch.zeros(64, 64)
    small[10:12, 10:12], wide[10:30, 10:12] = 1, 1
    assert fitted_size([small], 8, 16, 48) == (16, 16)
    assert fitted_size([small, wide], 8, 16, 48) == (32, 16)
    assert fitted_size([torch.ones(16, 64)], 8, 16, 20) == (16, 16)
    wide[1:63, 10:12] = 1  # 64 with its margin: two windows of 40 will do as two of 48 would
    assert fitted_size([wide], 8, 16, 48) == (40, 16)


@given(laid())
def test_a_layout_over_a_box_has_the_weights_of_the_whole(case):
    mask, _, _, layout = case
    box = shared_box(layout.touching(mask))
    assert torch.equal(layout.weight(box, 2), layout.weight(whole(mask), 2)[scaled(box)])


def scaled(box):
    return tuple(slice(2 * side.start, 2 * side.stop) for side in box)


def test_all_windows_are_all_combinations():
    rows, columns = (Span(0, 2, 0, 2), Span(2, 4, 2, 4)), (Span(0, 3, 0, 3),)
    layout = WindowLayout((4, 3), (rows, columns))
    assert layout.windows() == [Window(pair) for pair in product(rows, columns)]
