import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.shrink import block_mean

OBLIQUE = ((0.8, -0.6, 0.0), (0.6, 0.8, 0.0), (0.0, 0.0, -1.0))


def image_of(array: np.ndarray) -> Image:
    geometry = Geometry(array.shape[1:], (0.7, 1.1, 2.5), (-30.0, 12.0, 5.0), OBLIQUE)
    return Image(array, geometry, dimension=3)


@given(
    st.tuples(*[st.integers(1, 7)] * 3),
    st.tuples(*[st.integers(1, 4)] * 3),
    st.sampled_from([np.uint8, np.int16, np.float32, np.float64]),
)
def test_every_voxel_is_the_mean_of_its_block(shape, factors, dtype):
    array = np.random.default_rng(0).integers(0, 200, (2, *shape)).astype(dtype)
    found = block_mean(image_of(array), factors).array
    assert found.dtype == np.float32
    for index in np.ndindex(found.shape[1:]):
        block = tuple(slice(n * f, (n + 1) * f) for n, f in zip(index, factors, strict=True))
        wanted = array[(slice(None), *block)].reshape(2, -1).mean(axis=1)
        assert found[(slice(None), *index)] == pytest.approx(wanted, rel=1e-5, abs=1e-4)


@given(st.tuples(*[st.integers(1, 5)] * 3), st.tuples(*[st.integers(1, 4)] * 3))
def test_whole_blocks_keep_the_extent_in_the_world(blocks, factors):
    shape = tuple(b * f for b, f in zip(blocks, factors, strict=True))
    image = image_of(np.zeros((1, *shape), np.uint8))
    small = block_mean(image, factors)
    assert np.allclose(small.geometry.corners_ras(), image.geometry.corners_ras(), atol=1e-9)


def test_a_ramp_keeps_its_value_at_every_place():
    """Where the value is a linear function of the place, its mean is the value at the centre."""
    image = image_of(np.zeros((1, 8, 12, 6), np.float32))
    index = np.stack(np.indices((8, 12, 6)), axis=-1).reshape(-1, 3)
    slope = np.array([0.3, -1.2, 2.0])
    ramp = (image.geometry.kji_to_ras(index) @ slope).reshape(1, 8, 12, 6)
    small = block_mean(image_of(ramp.astype(np.float32)), (2, 3, 2))
    centres = np.stack(np.indices(small.geometry.shape_kji), axis=-1).reshape(-1, 3)
    wanted = small.geometry.kji_to_ras(centres) @ slope
    assert small.array.ravel() == pytest.approx(wanted, abs=1e-3)


def test_factor_one_changes_nothing_but_the_type():
    array = np.random.default_rng(1).integers(0, 9, (3, 4, 5, 6)).astype(np.int16)
    image = Image(array, Geometry((4, 5, 6)), ("red", "green", "blue"), 3)
    same = block_mean(image, (1, 1, 1))
    assert np.array_equal(same.array, array)
    assert same.geometry == image.geometry
    assert same.channel_names == image.channel_names


def test_one_slice_stays_a_picture():
    image = Image(np.ones((1, 1, 6, 6), np.uint8), Geometry((1, 6, 6)), dimension=2)
    assert block_mean(image, (1, 2, 2)).dimension == 2
