import tracemalloc

import numpy as np
import pytest

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.label import Label
from DiffusionSegLib.nouns.mask import Mask
from Testing.Library.geometries import KIND_NAMES, KINDS, grid


def test_unnamed_values_get_labels() -> None:
    mask = Mask.from_array(np.array([[0, 3], [7, 0]]), labels=(Label(7, "Liver"),))
    assert [(label.value, label.name) for label in mask.labels] == [(7, "Liver"), (3, "Label 3")]
    assert mask.label(7).name == "Liver"
    assert (mask.dimension, mask.array.dtype) == (2, np.uint8)
    with pytest.raises(InputError, match="no label 9"):
        mask.label(9)


@pytest.mark.parametrize("values", [(), (1,), (2, 16), (3, 17), (1, 200, 255), (255,)])
def test_every_value_that_occurs_is_found(values: tuple[int, ...]) -> None:
    array = np.zeros((4, 5, 6), np.uint8)
    for number, value in enumerate(values):
        array[3 - number, number, 2 * number] = value
    assert [label.value for label in Mask.from_array(array).labels] == list(values)


def test_volume_counts_voxels_in_space() -> None:
    array = np.zeros((5, 7, 9), np.uint8)
    array[1:3, 2:4, 3:8] = 1
    array[4, 0, :2] = 2
    mask = Mask(array, grid(anisotropic=True, oblique=True))
    voxel_ml = 0.7 * 0.9 * 2.5 / 1000
    assert mask.volume_ml(1) == pytest.approx(20 * voxel_ml)
    assert mask.volume_ml() == pytest.approx(22 * voxel_ml)
    assert mask.volume_ml(3) == 0.0
    assert not mask.is_empty
    assert Mask.from_array(np.zeros((2, 2))).is_empty


@pytest.mark.parametrize("kind", KINDS, ids=KIND_NAMES)
def test_crop_and_back_is_the_same_mask(kind: dict[str, bool]) -> None:
    array = np.random.default_rng(0).integers(0, 4, (5, 7, 9)).astype(np.uint8)
    mask = Mask(array, grid(**kind), (Label(2, "Two"),))
    part = mask.crop((slice(1, 4), slice(2, 7), slice(0, 5)))
    back = part.resampled(mask.geometry)
    expected = np.zeros_like(array)
    expected[1:4, 2:7, 0:5] = array[1:4, 2:7, 0:5]
    assert np.array_equal(back.array, expected)
    assert back.label(2).name == "Two"


@pytest.mark.parametrize(
    "array",
    [np.array([[wrong]]) for wrong in (300, -1, 0.5, np.nan, 1j)] + [np.zeros(3)],
)
def test_what_is_no_label_map_is_refused(array: np.ndarray) -> None:
    with pytest.raises(InputError, match="mask"):
        Mask.from_array(array)


def test_whole_floats_and_truth_values_become_labels() -> None:
    assert Mask.from_array(np.array([[0.0, 2.0]])).array.tolist() == [[[0, 2]]]
    assert Mask.from_array(np.array([[True, False]])).array.tolist() == [[[1, 0]]]


def test_shapes_and_values_must_agree() -> None:
    with pytest.raises(InputError, match="voxels"):
        Mask(np.zeros((2, 2, 2), np.uint8), Geometry((2, 2, 3)))
    with pytest.raises(InputError, match="value of its own"):
        Mask.from_array(np.zeros((2, 2)), labels=(Label(1, "a"), Label(1, "b")))


def test_a_mask_needs_little_more_than_its_voxels() -> None:
    array = np.zeros((64, 128, 128), np.uint8)
    array[10:20, 3, 4] = 5
    tracemalloc.start()
    mask = Mask(array, Geometry(array.shape))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [label.value for label in mask.labels] == [5]
    assert peak < 0.5 * array.nbytes
