import numpy as np
import pytest
from scipy import ndimage

from DiffusionSegLib.methods.diffugts.pixel_residual import difference_scale, pixel_residual


def gaussian(length, width):
    far = np.arange(-length, length + 1)
    weights = np.exp(-0.5 * (far / width) ** 2)
    return weights / weights.sum()


def test_one_pixel_becomes_a_small_hill():
    difference = np.zeros((1, 1, 21, 21), np.float32)
    difference[0, 0, 10, 10] = -0.5
    found = pixel_residual(difference, 0.25, (2, 3))[0, 0]
    kernel = gaussian(4, 1.0)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[6:15, 6:15], 2 * np.outer(kernel, kernel), atol=1e-5)
    assert found.sum() == pytest.approx(2.0, rel=1e-4)


def test_seeds_and_slices_are_not_mixed():
    difference = np.zeros((2, 3, 9, 9), np.float32)
    difference[1, 2] = 0.1
    found = pixel_residual(difference, 0.1, (2, 3))
    np.testing.assert_allclose(found[1, 2], 1.0, rtol=1e-5)
    assert not found[0].any() and not found[1, :2].any()


def test_a_volume_is_smoothed_along_all_axes():
    difference = np.random.default_rng(0).normal(size=(1, 1, 6, 7, 8)).astype(np.float32)
    wanted = ndimage.gaussian_filter(np.abs(difference[0, 0]), 1.0, mode="nearest") / 0.5
    np.testing.assert_allclose(pixel_residual(difference, 0.5, (2, 3, 4))[0, 0], wanted, rtol=1e-5)


def test_how_much_air_a_crop_shows_does_not_matter():
    tissue = np.random.default_rng(0).uniform(0.2, 0.8, (10, 10))
    wide = np.zeros((40, 40))
    wide[:10, :10] = tissue
    assert difference_scale(wide) == difference_scale(tissue) == pytest.approx(tissue.std())


@pytest.mark.parametrize("value", [0.0, 0.5])
def test_there_is_always_something_to_divide_by(value):
    assert difference_scale(np.full((4, 4), value)) == 0.02
