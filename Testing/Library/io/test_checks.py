from pathlib import Path

import numpy as np
import pytest

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.io.checks import check_finite, check_thickness, check_voxels

PATH = Path("x.nii")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("k", [0, 4])
def test_one_bad_voxel_anywhere_is_found(value: float, k: int) -> None:
    array = np.random.default_rng(0).random((2, 5, 6, 7)).astype(np.float32)
    check_voxels(array, PATH)
    array[1, k, 2, 3] = value
    with pytest.raises(InputError, match=f"x.nii has 1 voxels in slice {k}"):
        check_voxels(array, PATH)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (-np.finfo(np.float32).max, r"x\.nii has voxels as large as 3\.4e\+38, which are no"),
        (1e300, r"as large as 1e\+300"),
    ],
)
def test_numbers_that_mean_no_value_are_refused(value: float, words: str) -> None:
    array = np.random.default_rng(0).random((2, 5, 6, 7))
    array[1, 4, 2, 3] = value
    with pytest.raises(InputError, match=words):
        check_voxels(array, PATH)
    with pytest.raises(InputError, match=r"no voxel larger than 9.97e-32, too small"):
        check_voxels(array[:1] * 1e-31, PATH)


def test_the_largest_fraction_is_found() -> None:
    assert check_finite(np.array([[[[1.5, -7.0]]]]), "x") == 7.0
    assert check_finite(np.array([[[[1, -7]]]]), "x") == 0.0


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_blank_images_are_refused(dtype: type) -> None:
    array = np.full((1, 3, 4, 5), 7, dtype)
    with pytest.raises(InputError, match="every voxel has the value 7"):
        check_voxels(array, PATH)
    array[0, 2, 3, 4] = 8
    check_voxels(array, PATH)


def test_complex_voxels_are_refused() -> None:
    with pytest.raises(InputError, match="complex"):
        check_voxels(np.zeros((1, 2, 2, 2), complex), PATH)


def test_thin_images_are_refused_but_not_single_slices() -> None:
    check_thickness((1, 2, 2), PATH)
    for shape in ((5, 1, 5), (5, 5, 1)):
        with pytest.raises(InputError, match="one voxel thin"):
            check_thickness(shape, PATH)
