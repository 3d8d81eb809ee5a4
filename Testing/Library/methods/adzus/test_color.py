import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.methods.adzus.color import lab_from_rgb

# Published values of sRGB colors (CIE L*a*b*, D65, 2 degrees).
KNOWN = {
    "black": ((0, 0, 0), (0.0, 0.0, 0.0)),
    "white": ((1, 1, 1), (100.0, 0.0, 0.0)),
    "red": ((1, 0, 0), (53.24, 80.09, 67.20)),
    "green": ((0, 1, 0), (87.73, -86.18, 83.18)),
    "blue": ((0, 0, 1), (32.30, 79.19, -107.86)),
    "yellow": ((1, 1, 0), (97.14, -21.55, 94.48)),
    "cyan": ((0, 1, 1), (91.11, -48.09, -14.13)),
    "magenta": ((1, 0, 1), (60.32, 98.23, -60.82)),
    "middle gray": ((0.5, 0.5, 0.5), (53.39, 0.0, 0.0)),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_colors(name):
    rgb, wanted = KNOWN[name]
    found = lab_from_rgb(np.array(rgb, dtype=np.float32))
    assert found == pytest.approx(wanted, abs=0.02)
    assert found.dtype == np.float32


@given(st.floats(0.0, 0.04))
def test_in_the_dark_it_is_linear(level):
    """Below both knees: L* = 903.3 Y with Y = level / 12.92."""
    found = lab_from_rgb(np.full(3, level, dtype=np.float32))
    assert found[0] == pytest.approx((29 / 3) ** 3 * level / 12.92, abs=1e-3)
    assert np.abs(found[1:]).max() < 1e-2


def test_gray_is_gray_and_lightness_grows():
    ramp = np.repeat(np.linspace(0, 1, 256, dtype=np.float32)[:, None], 3, axis=1)
    found = lab_from_rgb(ramp[None])
    assert found.shape == (1, 256, 3)
    assert np.abs(found[..., 1:]).max() < 0.02
    steps = np.diff(found[0, :, 0])
    assert steps.min() > 0
    assert steps.max() < 0.55  # no jump at a knee
