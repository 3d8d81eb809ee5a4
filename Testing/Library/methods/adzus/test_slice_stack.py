import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.methods.adzus.slice_stack import SliceStack, best_axis
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image

GEOMETRY = Geometry((3, 4, 5), (0.7, 0.9, 2.5))
AXES = pytest.mark.parametrize("axis", [0, 1, 2])


def stack_of(axis: int, channels: int = 2) -> SliceStack:
    array = np.arange(channels * 60).reshape(channels, 3, 4, 5).astype(np.int32)
    return SliceStack(Image(array, GEOMETRY), axis)


@AXES
def test_sizes_and_spacings(axis):
    stack = stack_of(axis)
    assert (stack.count, stack.size) == [(3, (4, 5)), (4, (3, 5)), (5, (3, 4))][axis]
    told = [(2.5, 0.9, 0.7), (0.9, 2.5, 0.7), (0.7, 2.5, 0.9)][axis]
    assert stack.spacing_mm == pytest.approx(told)


@AXES
@given(st.integers(0, 2), st.integers(0, 3), st.integers(0, 4))
def test_a_voxel_is_found_in_its_slice(axis, k, j, i):
    stack = stack_of(axis)
    number, row, column = stack.to_slice(np.array([[k, j, i]]))[0]
    for channel in range(2):
        value = stack.image.array[channel, k, j, i]
        assert stack.slice(number)[channel, row, column] == value
        assert stack.to_stack(stack.image.array[channel])[number, row, column] == value


@AXES
def test_stacks_and_volumes_are_views_of_each_other(axis):
    stack = stack_of(axis)
    volume = np.zeros((3, 4, 5))
    turned = stack.to_stack(volume)
    assert turned.shape == (stack.count, *stack.size)
    turned[1, 2, 1] = 7.0
    place = np.argwhere(volume == 7.0)
    assert stack.to_slice(place).tolist() == [[1, 2, 1]]
    assert stack.to_volume(turned).shape == volume.shape
    assert np.shares_memory(stack.to_volume(turned), volume)
    assert np.array_equal(stack.to_volume(turned), volume)


@AXES
def test_places_between_voxels_are_turned_too(axis):
    points = np.array([[0.5, 1.25, 3.75], [2.0, 0.0, 1.0]])
    found = stack_of(axis).to_slice(points)
    assert found[:, 0].tolist() == points[:, axis].tolist()
    assert found.dtype == np.float64


@pytest.mark.parametrize(
    ("shape", "spacing", "axis"),
    [
        ((20, 20, 20), (1.0, 1.0, 5.0), 0),
        ((20, 20, 20), (1.0, 5.0, 1.0), 1),
        ((20, 20, 20), (5.0, 1.0, 1.0), 2),
        ((20, 20, 20), (1.0, 1.0, 1.0), 0),
        ((20, 20, 20), (2.0, 2.0, 1.0), 1),
        ((20, 20, 20), (1.0, 1.0, 1.0 - 1e-7), 0),  # equal, but for rounding in a header
        ((1, 20, 20), (5.0, 1.0, 1.0), 0),  # a picture is one slice whatever its pixels
    ],
)
def test_the_best_axis_lies_across_the_thickest_slices(shape, spacing, axis):
    assert best_axis(Geometry(shape, spacing)) == axis
