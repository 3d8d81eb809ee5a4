"""A ball is a ball again."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.methods.adzus.expected_extent import ELONGATION, expected_extent
from Testing.Library.methods.adzus.disc_planes import disc


def test_a_disc_goes_on_as_a_ball_does():
    row, column = np.indices((61, 61))
    away = np.hypot(row - 30, column - 30) * 0.5
    inside = away <= 10
    extent = expected_extent(inside, (0.5, 0.5)) / ELONGATION
    ball = np.sqrt(np.maximum(10.25**2 - away**2, 0))
    assert np.abs(extent - ball)[away < 9].max() < 0.6


@given(st.integers(2, 9), st.floats(0.3, 4), st.floats(0.3, 4))
def test_it_is_above_0_inside_alone_and_scales(radius, mm, scale):
    inside = disc((24, 26), (11, 13), radius)
    extent = expected_extent(inside, (mm, mm))
    assert np.array_equal(extent > 0, inside)
    larger = expected_extent(inside, (mm * scale, mm * scale))
    np.testing.assert_allclose(larger, extent * scale, rtol=1e-4)


def test_anisotropic_pixels_count_in_mm():
    inside = np.zeros((40, 40), dtype=bool)
    inside[10:30, 10:30] = True
    narrow = expected_extent(inside, (3.0, 1.0))
    assert abs(narrow.max() / ELONGATION - 10) < 0.6  # 20 columns of 1 mm


def test_nothing_has_no_extent():
    assert (expected_extent(np.zeros((5, 5), dtype=bool), (1.0, 1.0)) < 0).all()
