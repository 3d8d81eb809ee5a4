import numpy as np
import pytest
import SimpleITK as sitk

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.resample import resample
from Testing.Library.geometries import KIND_NAMES, KINDS, SHEARED, grid

TYPES = ["u1", "i1", "i2", "u2", "i4", "i8", "f2", "f4", "f8"]


def ramp(geometry: Geometry) -> np.ndarray:
    """A plane in the world: linear interpolation reproduces it exactly."""
    indices = np.indices(geometry.shape_kji).reshape(3, -1).T
    values = geometry.kji_to_ras(indices) @ [0.5, -1.0, 2.0] + 3.0
    return values.reshape(1, *geometry.shape_kji)


@pytest.mark.parametrize("target_kind", [KINDS[0], KINDS[-1]], ids=["to plain", "to all"])
@pytest.mark.parametrize("kind", KINDS, ids=KIND_NAMES)
def test_a_world_plane_stays_where_it_is(
    kind: dict[str, bool], target_kind: dict[str, bool]
) -> None:
    source = grid((16, 17, 18), **kind)
    middle = source.kji_to_ras([[7.5, 8, 8.5]])[0] * [-1, -1, 1]
    target = Geometry((4, 3, 2), (0.8, 0.6, 0.5), tuple(middle), grid(**target_kind).direction)
    assert resample(ramp(source), source, target) == pytest.approx(ramp(target), abs=1e-9)


def test_sheared_grids_are_resampled_exactly() -> None:
    target = Geometry(
        (2, 3, 4), (0.5, 0.5, 0.5), tuple(SHEARED.kji_to_ras([[2, 2, 2]])[0] * [-1, -1, 1])
    )
    assert resample(ramp(SHEARED), SHEARED, target) == pytest.approx(ramp(target), abs=1e-9)


@pytest.mark.parametrize("interpolation", ["linear", "nearest"])
@pytest.mark.parametrize("dtype", ["i2", "f4", "f8"])
def test_slabs_of_any_size_give_identical_answers(interpolation: str, dtype: str) -> None:
    source, target = grid((11, 13, 12), oblique=True), grid((23, 19, 17), anisotropic=True)
    array = np.random.default_rng(1).normal(0, 1000, (2, *source.shape_kji)).astype(dtype)
    whole = resample(array, source, target, interpolation, slab_voxels=10**9)
    assert np.unique(whole).size > 100
    for slab_voxels in (1, 19 * 17 * 5, 19 * 17 * 22):
        slabs = resample(array, source, target, interpolation, slab_voxels=slab_voxels)
        assert np.array_equal(slabs, whole)


def test_the_answer_is_itks_own() -> None:
    source, target = grid((9, 8, 7), oblique=True, left_handed=True), grid((8, 9, 7))
    array = np.random.default_rng(2).normal(size=source.shape_kji)
    moving = sitk.GetImageFromArray(array)
    moving.SetOrigin(source.origin_lps)
    moving.SetDirection(np.ravel(source.direction).tolist())
    expected = sitk.Resample(
        moving, [*reversed(target.shape_kji)], sitk.Transform(), sitk.sitkLinear,
        target.origin_lps, target.spacing_mm, np.ravel(target.direction).tolist(), -5.0,
    )  # fmt: skip
    ours = resample(array[None], source, target, outside=-5.0)[0]
    assert (ours != -5.0).any()
    assert ours == pytest.approx(sitk.GetArrayFromImage(expected), abs=1e-9)


@pytest.mark.parametrize("dtype", TYPES)
def test_the_type_is_kept_and_integers_are_rounded(dtype: str) -> None:
    source = Geometry((1, 1, 3))
    target = Geometry((1, 1, 1), origin_lps=(0.96, 0.0, 0.0))
    array = np.array([[[[10, 20, 30]]]], dtype=dtype)
    result = resample(array, source, target)
    assert result.dtype == array.dtype
    expected = 20.0 if array.dtype.kind in "iu" else 19.6
    assert float(result[0, 0, 0, 0]) == pytest.approx(expected, abs=1e-2)
    assert float(resample(array, source, target, "nearest")[0, 0, 0, 0]) == 20.0


def test_large_integers_lose_nothing() -> None:
    array = np.array([[[[2**30 + 1, 2**30 + 1]]]], dtype=np.int32)
    source = Geometry((1, 1, 2))
    assert np.array_equal(resample(array, source, Geometry((1, 1, 2))), array)


def test_outside_is_the_smallest_value_of_the_channel_or_what_is_asked_for() -> None:
    source = Geometry((2, 2, 2))
    far = Geometry((2, 2, 2), origin_lps=(100.0, 0.0, 0.0))
    array = np.stack([np.full((2, 2, 2), -1024, np.int16), np.full((2, 2, 2), 7, np.int16)])
    array[:, 0, 0, 0] = 500
    result = resample(array, source, far)
    assert (result[0] == -1024).all()
    assert (result[1] == 7).all()
    assert (resample(array, source, far, outside=-3) == -3).all()


def test_an_unknown_interpolation_is_refused() -> None:
    with pytest.raises(InputError, match="'cubic'"):
        resample(np.zeros((1, 2, 2, 2)), grid((2, 2, 2)), grid((2, 2, 2)), "cubic")
