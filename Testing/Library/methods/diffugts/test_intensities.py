import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.methods.diffugts.intensities import IntensityRange, IntensityRule
from DiffusionSegLib.methods.diffugts.modality import Modality
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image

RULE = IntensityRule((-160.0, 240.0), (1.0, 99.0))
CT, MR, UNKNOWN = Modality("ct", True), Modality("mr", False), Modality("", False)


def gray(values):
    array = np.asarray(values)
    array = array.reshape(1, 1, 1, -1) if array.ndim == 1 else array
    return Image(array, Geometry(array.shape[1:]))


def test_ct_is_read_between_the_card_s_hounsfield_units():
    found = RULE.range_of(gray(np.linspace(-1000, 1000, 50)), CT)
    assert (found.name, found.low, found.high) == ("Hounsfield units", -160, 240)
    values = found.unit(np.array([-2000, -160, 40, 240, 3000], np.int16))
    assert values.dtype == np.float32 and values.tolist() == [0, 0, 0.5, 1, 1]


def test_mr_is_read_between_its_percentiles():
    values = np.random.default_rng(0).gamma(2, 300, 4000)
    found = RULE.range_of(gray(values), MR)
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(values, (1, 99))))
    assert found.name == "percentiles"


def test_a_picture_of_8_bits_is_taken_as_it_is_stored():
    found = RULE.range_of(gray(np.arange(10, 200, dtype=np.uint8)), UNKNOWN)
    assert (found.name, found.low, found.high) == ("as stored", 0, 255)
    few = RULE.range_of(gray(np.array([3] * 50 + [9] * 50, np.uint8)), UNKNOWN)
    assert (few.low, few.high) == (3, 9)


def test_a_few_odd_voxels_among_equal_ones():
    found = RULE.range_of(gray(np.array([5.0] * 999 + [8.0])), MR)
    assert (found.low, found.high) == (5.0, 8.0)
    assert np.isfinite(found.unit(np.array([5.0, 8.0]))).all()


def test_a_color_picture_without_red():
    """A stain that shows in green alone: the gray of all three is what is read."""
    array = np.zeros((3, 1, 8, 8), np.uint8)
    array[1] = np.arange(64).reshape(8, 8) * 3
    image = Image(array, Geometry((1, 8, 8)), ("red", "green", "blue"))
    found = RULE.range_of(image, UNKNOWN)
    assert found.low < found.high
    assert np.isfinite(found.unit(array.mean(axis=0))).all()


def test_a_large_image_whose_sample_happens_to_be_equal():
    array = np.zeros((1, 1, 2100, 2100), np.float32)
    array[0, 0, 1001, 1001] = 9.0
    found = RULE.range_of(Image(array, Geometry((1, 2100, 2100))), MR)
    assert (found.low, found.high) == (0.0, 9.0)


@given(
    st.lists(st.integers(-30_000, 30_000), min_size=1, max_size=30),
    st.sampled_from([np.int16, np.float32, np.float64, np.uint16]),
)
def test_all_is_between_0_and_1_and_keeps_its_order(values, dtype):
    array = np.array(values).astype(dtype)
    found = IntensityRange("any", -500.0, 700.0).unit(array)
    assert found.dtype == np.float32 and found.min() >= 0 and found.max() <= 1
    order = np.argsort(array, kind="stable")
    assert (np.diff(found[order]) >= 0).all()


@pytest.mark.parametrize(
    "broken",
    [
        {"hounsfield": [1, 0], "percentiles": [1, 99]},
        {"hounsfield": [0, 1], "percentiles": [99, 1]},
        {"hounsfield": [0, 1], "percentiles": [-1, 50]},
        {"hounsfield": [0, 1]},
        {"hounsfield": 5, "percentiles": [1, 99]},
        {"hounsfield": [0, "wide"], "percentiles": [1, 99]},
    ],
)
def test_a_card_s_intensities_are_checked(broken):
    with pytest.raises(ModelError, match="intensities are not usable"):
        IntensityRule.from_dict(broken)
