import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.methods.cdal.intensity import IntensityMap, IntensityRule


def ramp(low: float, high: float, dtype=np.float32) -> np.ndarray:
    return np.linspace(low, high, 1001).astype(dtype).reshape(1, 7, 11, 13)


def test_a_window_is_in_stored_units_and_clips():
    array = np.array([-1000, -160, 40, 240, 3000], np.int16).reshape(1, 1, 1, 5)
    found = IntensityMap.fit(array, [IntensityRule("window", -160, 240)]).apply(array)
    assert found.dtype == np.float32
    assert found.ravel().tolist() == [-1, -1, 0, 1, 1]


def test_percentiles_ignore_a_few_extreme_voxels():
    array = ramp(0, 1000)
    array[0, 0, 0, 0], array[0, -1, -1, -1] = -1e6, 1e6
    found = IntensityMap.fit(array, [IntensityRule("percentile", 1, 99)])
    assert found.limits[0] == pytest.approx((10, 990), abs=1.5)


@given(st.floats(0.01, 1e4), st.floats(-10, 10), st.integers(0, 99))
def test_percentiles_do_not_depend_on_units(scale, shift, seed):
    array = np.random.default_rng(seed).normal(size=(1, 4, 5, 6))
    rule = [IntensityRule("percentile", 5, 95)]
    plain = IntensityMap.fit(array, rule).apply(array)
    changed = (array + shift) * scale
    assert np.allclose(IntensityMap.fit(changed, rule).apply(changed), plain, atol=1e-4)


@pytest.mark.parametrize(
    ("scale", "dtype"),
    [(1e-9, np.float32), (1e-28, np.float64), (1e37, np.float32), (1e300, np.float64)],
)
def test_nor_on_units_that_single_precision_does_not_hold(scale, dtype):
    """Diffusion in m^2/s is about 1e-9; what looks flat in such a unit is the same picture."""
    plain = ramp(-3, 5, np.float64)
    rule = [IntensityRule("percentile", 5, 95)]
    expected = IntensityMap.fit(plain, rule).apply(plain)
    scaled = (plain * scale).astype(dtype)
    assert IntensityMap.fit(scaled, rule).apply(scaled) == pytest.approx(expected, abs=1e-5)


def test_each_channel_has_its_own_percentiles_and_colour_shares_them():
    array = np.concatenate([ramp(0, 10), ramp(0, 100)])
    rule = IntensityRule("percentile", 0, 100)
    apart = IntensityMap.fit(array, [rule, rule]).limits
    assert apart == ((0, 10), (0, 100))
    joint = IntensityRule("joint", 0, 100)
    assert IntensityMap.fit(array, [joint, joint]).limits == ((0, 100), (0, 100))


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float64, np.bool_])
def test_every_stored_type_reaches_minus_one_to_one(dtype):
    array = np.zeros((1, 3, 4, 5), dtype)
    array[0, 1] = 1
    found = IntensityMap.fit(array, [IntensityRule("percentile", 0, 100)]).apply(array)
    assert sorted(np.unique(found).tolist()) == [-1, 1]
    assert np.array_equal(found > 0, array.astype(bool))


@pytest.mark.parametrize("value", [0, 7, -3e5])
def test_a_constant_channel_gives_numbers(value):
    array = np.full((1, 2, 2, 2), value, np.float32)
    found = IntensityMap.fit(array, [IntensityRule("percentile", 1, 99)]).apply(array)
    assert np.isfinite(found).all()
    assert found.min() == found.max()


def test_limits_of_a_large_image_are_those_of_all_its_voxels():
    array = np.random.default_rng(0).gamma(2, 100, (1, 150, 150, 150)).astype(np.float32)
    found = IntensityMap.fit(array, [IntensityRule("percentile", 1, 99)]).limits[0]
    assert found == pytest.approx(np.percentile(array, [1, 99]), rel=0.02)


def test_the_image_itself_is_not_changed():
    array = ramp(0, 1000)
    before = array.copy()
    IntensityMap.fit(array, [IntensityRule("percentile", 1, 99)]).apply(array)
    assert np.array_equal(array, before)


@pytest.mark.parametrize(
    "wrong",
    [("range", 0, 1), ("window", 5, 5), ("percentile", 99, 1), ("percentile", -1, 99),
     ("joint", 1, 100.5), ("window", 0, np.inf)],
)  # fmt: skip
def test_impossible_rules_are_refused(wrong):
    with pytest.raises(ValueError, match="intensity"):
        IntensityRule(*wrong)


def test_a_rule_is_read_from_a_card():
    rule = IntensityRule.from_dict({"kind": "window", "low": -160, "high": 240})
    assert rule == IntensityRule("window", -160.0, 240.0)
