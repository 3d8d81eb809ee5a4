import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.methods.adzus.plane import canvas_size
from DiffusionSegLib.methods.adzus.view import LARGEST_WHOLE, View, view_around, whole_view

SIDE = st.integers(1, 40_000)
SHARE = st.floats(0.0, 1.0)
PLACES = st.lists(st.tuples(SHARE, SHARE), min_size=1, max_size=5)


def places_in(size, shares):
    return np.array(shares) * (np.array(size) - 1)


@given(SIDE, SIDE, PLACES)
def test_a_view_lies_in_the_slice_and_holds_every_place(rows, columns, shares):
    places = places_in((rows, columns), shares)
    view = view_around(places, (rows, columns))
    assert view.top >= 0
    assert view.left >= 0
    assert view.top + view.rows <= rows
    assert view.left + view.columns <= columns
    inside = places - [view.top, view.left]
    assert (inside >= 0).all()
    assert (inside <= [view.rows - 1, view.columns - 1]).all()


@given(SIDE, SIDE, PLACES)
def test_it_is_as_large_as_it_needs_to_be_and_no_larger(rows, columns, shares):
    size = rows, columns
    places = places_in(size, shares)
    view = view_around(places, size)
    if max(size) <= LARGEST_WHOLE:
        assert view == whole_view(size)
        assert view.is_usual
        return
    spans = np.ptp(places, axis=0)
    for side, width, span in zip(size, (view.rows, view.columns), spans, strict=True):
        assert width == min(side, max(LARGEST_WHOLE, round(2 * span)))
    one = view_around(places[:1], size)
    assert one.is_usual  # around a click the window never has more than the usual size


def test_a_window_is_centered_where_there_is_room():
    view = view_around(np.array([[5000.0, 9000.0], [5200.0, 9100.0]]), (10_000, 20_000))
    assert view == View(5100 - 512, 9050 - 512, 1024, 1024)
    corner = view_around(np.array([[0.0, 19_999.0]]), (10_000, 20_000))
    assert corner == View(0, 20_000 - 1024, 1024, 1024)
    assert view_around(np.empty((0, 2)), (10_000, 20_000)) == whole_view((10_000, 20_000))


@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_what_is_cut_is_pasted_back_to_its_place(rows, columns, data):
    top, left = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, columns - 1))
    height = data.draw(st.integers(1, rows - top))
    width = data.draw(st.integers(1, columns - left))
    view = View(top, left, height, width)
    slice_crc = np.arange(1, 2 * rows * columns + 1, dtype=np.float32).reshape(2, rows, columns)
    part = view.cut(slice_crc)
    assert part.shape == (2, height, width)
    pasted = view.paste(part[0], (rows, columns))
    assert np.array_equal(view.cut(pasted[None])[0], part[0])
    assert pasted.sum() == pytest.approx(part[0].sum())
    assert (pasted[pasted > 0] == slice_crc[0][pasted > 0]).all()


@given(SIDE, SIDE, PLACES)
def test_to_canvas_maps_the_window_s_borders_to_the_canvas_s(rows, columns, shares):
    view = view_around(places_in((rows, columns), shares), (rows, columns))
    assert view.canvas_size == canvas_size((view.rows, view.columns))
    borders = np.array(
        [[view.top - 0.5, view.left - 0.5],
         [view.top + view.rows - 0.5, view.left + view.columns - 0.5]]
    )  # fmt: skip
    found = view.to_canvas(borders)
    assert found[0] == pytest.approx([-0.5, -0.5], abs=1e-6)
    assert found[1] == pytest.approx(np.array(view.canvas_size) - 0.5, abs=1e-6)
    # And back: the inverse of a scaling and a shift.
    scale = np.array(view.canvas_size) / [view.rows, view.columns]
    places = places_in((rows, columns), shares)
    back = (view.to_canvas(places) + 0.5) / scale - 0.5 + [view.top, view.left]
    assert back == pytest.approx(places, abs=1e-6)
