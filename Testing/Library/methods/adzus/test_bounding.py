import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.methods.adzus.bounding import bounding_box


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 999), st.floats(0.0, 0.5))
def test_it_is_the_smallest_block_and_one_pixel_around(rows, columns, seed, share):
    rng = np.random.default_rng(seed)
    region = rng.random((rows, columns)) < share
    region[rng.integers(rows), rng.integers(columns)] = True
    places = np.argwhere(region)
    low = np.maximum(places.min(axis=0) - 1, 0)
    high = np.minimum(places.max(axis=0) + 2, (rows, columns))
    part = region[bounding_box(region)]
    assert np.array_equal(part, region[low[0] : high[0], low[1] : high[1]])
    assert part.sum() == region.sum()
