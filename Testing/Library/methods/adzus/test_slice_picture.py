import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.methods.adzus.slice_picture import WINDOWS, IntensityWindow, choose_window
from DiffusionSegLib.nouns.image import RGB_NAMES, Image

RNG = np.random.default_rng(0)


def volume(low, high, dtype, channels=1, names=()):
    values = np.linspace(low, high, channels * 2000)
    return Image.from_array(
        RNG.permutation(values).reshape(channels, 5, 20, 20).astype(dtype), channel_names=names
    )


CT = volume(-1024, 1500, np.int16)
MR = volume(0, 1800, np.float32)
PHOTO = volume(0, 255, np.uint8, 3, RGB_NAMES)


def test_ct_is_shown_as_soft_tissue():
    window = choose_window(CT)
    assert window == IntensityWindow("soft tissue", -160.0, 240.0)
    values = np.array([[[-1000, -160, 40, 240, 1500]]], dtype=np.int16)
    found = window.picture(values)
    assert found.shape == (1, 5, 3)
    assert found[0, :, 0] == pytest.approx([0, 0, 0.5, 1, 1])
    assert (found == found[..., :1]).all()


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("lung", -1350, 150), ("bone", -770, 1730), ("brain", 0, 80), ("soft tissue", -160, 240)],
)
def test_windows_are_those_that_radiologists_set(name, low, high):
    for image in (CT, MR, PHOTO):
        assert choose_window(image, name) == IntensityWindow(name, low, high)
    assert name in WINDOWS


@pytest.mark.parametrize("choice", ["auto", "percentiles"])
def test_mr_is_shown_between_percentiles(choice):
    image = volume(0, 1800, np.float32)
    image.array[0, 0, 0, 0] = 1e6  # one bright voxel darkens nothing
    window = choose_window(image, choice)
    assert window.name == "percentiles"
    assert window.low == pytest.approx(9, abs=1.5)
    assert window.high == pytest.approx(1791, abs=1.5)
    assert window.picture(image.array[:, 0]).max() == 1.0


def test_bright_air_is_no_reason_to_take_an_mr_for_ct():
    assert choose_window(volume(-499, 500, np.float32)).name == "percentiles"
    assert choose_window(volume(-501, 500, np.float32)).name == "soft tissue"
    assert choose_window(CT, "percentiles").name == "percentiles"


def test_eight_bits_are_shown_as_they_are_stored():
    for image in (PHOTO, volume(30, 90, np.uint8)):
        window = choose_window(image)
        assert window == IntensityWindow("as stored", 0.0, 255.0)
    row = np.arange(256, dtype=np.uint8).reshape(1, 1, 256)
    assert choose_window(PHOTO).picture(row)[0, :, 1] == pytest.approx(np.arange(256) / 255)


def test_three_channels_keep_their_colors_and_of_others_the_first_is_gray():
    window = IntensityWindow("test", 0.0, 10.0)
    three = RNG.uniform(0, 10, (3, 4, 6)).astype(np.float32)
    assert np.allclose(window.picture(three), three.transpose(1, 2, 0) / 10)
    for count in (1, 2, 4):
        several = RNG.uniform(0, 10, (count, 4, 6)).astype(np.float32)
        found = window.picture(several)
        assert found.shape == (4, 6, 3)
        assert np.allclose(found, several[0][..., None] / 10)


def test_sixteen_bit_color_is_scaled_with_one_window_for_all_channels():
    image = volume(0, 65535, np.uint16, 3, RGB_NAMES)
    image.array[0] //= 4  # a picture with little red stays one
    window = choose_window(image)
    found = window.picture(image.array[:, 0])
    assert found[..., 0].max() < 0.3
    assert found[..., 1:].max() > 0.9


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int8, np.int32, np.float64])
def test_two_values_are_black_and_white(dtype):
    array = np.zeros((1, 1, 8, 8), dtype=dtype)
    array[..., 4:] = 1
    image = Image.from_array(array)
    found = choose_window(image).picture(image.array[:, 0])
    assert found[:, :4].max() == 0.0
    assert found[:, 4:].min() == 1.0


@given(
    st.floats(-1e6, 1e6), st.floats(1e-3, 1e6),
    st.lists(st.floats(-1e7, 1e7), min_size=1, max_size=20),
)  # fmt: skip
def test_pictures_lie_in_0_to_1_and_keep_the_order(low, width, values):
    window = IntensityWindow("test", low, low + width)
    found = window.picture(np.sort(np.array(values)).reshape(1, 1, -1))
    assert found.dtype == np.float32
    assert found.min() >= 0.0
    assert found.max() <= 1.0
    assert (np.diff(found[0, :, 0]) >= 0).all()
