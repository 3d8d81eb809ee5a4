import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.methods.adzus.hints import Hint, disc_hint

AROUND = st.floats(-3.0, 30.0)


@given(AROUND, AROUND, st.integers(1, 25), st.integers(1, 25), st.booleans())
def test_a_click_is_the_nearest_pixel_of_the_picture(row, column, rows, columns, include):
    hint = disc_hint(row, column, (rows, columns), include)
    assert hint.pixels.shape == (1, 2)
    assert hint.pixels.dtype == np.int64
    assert hint.include == include
    assert hint.is_click
    every = np.argwhere(np.ones((rows, columns)))
    far = np.hypot(*(every - [row, column]).T)
    here = np.hypot(*(hint.pixels[0] - [row, column]))
    assert here == pytest.approx(far.min(), abs=1e-5)


def test_center_is_the_mean():
    hint = Hint(np.array([[0, 0], [0, 3], [3, 0]]), True, is_click=False)
    assert hint.center == (1.0, 1.0)


def test_the_key_tells_what_is_computed_apart_and_nothing_else():
    pixels = np.array([[1, 2], [3, 4]])
    one = Hint(pixels, True)
    assert one.key == Hint(pixels.copy(), False).key
    assert one.key != Hint(pixels, True, is_click=False).key
    assert one.key != Hint(pixels[::-1].copy(), True).key
    assert one.key != Hint(pixels[:, ::-1].copy(), True).key
    assert one.key != Hint(pixels[:1], True).key
