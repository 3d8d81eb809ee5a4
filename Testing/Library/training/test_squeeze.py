import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from DiffusionSegLib.training.squeeze import expand, squeeze

SHAPES = st.one_of(
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    st.tuples(st.sampled_from([1, 3]), st.integers(1, 9), st.integers(1, 9)),
)


@given(pixels=hnp.arrays(np.uint8, SHAPES))
def test_any_pixels_come_back(pixels):
    assert np.array_equal(expand(squeeze(pixels), pixels.shape), pixels)


def test_smooth_pictures_take_little_room():
    ramp = np.tile(np.arange(256, dtype=np.uint8), (64, 1))
    assert len(squeeze(ramp)) < ramp.size / 50


def test_another_shape_and_other_bytes_are_noticed():
    packed = squeeze(np.zeros((4, 5), np.uint8))
    with pytest.raises(ValueError, match="reshape"):
        expand(packed, (3, 3))
    with pytest.raises(zlib.error):
        expand(b"nothing", (4, 5))
