import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from DiffusionSegLib.methods.adzus.fixed_voxels import Fixed, edited_voxels, marked_voxels
from DiffusionSegLib.methods.adzus.slice_stack import SliceStack
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Point, Prompt
from Testing.Library.geometries import geometries, grid


def stack_of(geometry, axis=0):
    return SliceStack(Image(np.zeros((1, *geometry.shape_kji), np.uint8), geometry), axis)


def random_fixed(rng, size=(3, 4, 5)):
    kind = rng.integers(0, 3, size)
    return Fixed(kind == 1, kind == 2)


@given(st.integers(0, 999))
def test_what_was_said_later_counts(seed):
    rng = np.random.default_rng(seed)
    first, later = random_fixed(rng), random_fixed(rng)
    found = first.updated(later)
    for place in np.ndindex(3, 4, 5):
        if later.included[place] or later.excluded[place]:
            wanted = later.included[place], later.excluded[place]
        else:
            wanted = first.included[place], first.excluded[place]
        assert (found.included[place], found.excluded[place]) == wanted
    assert not (found.included & found.excluded).any()


@given(st.integers(0, 999))
def test_only_fixed_voxels_are_put_into_a_copy(seed):
    rng = np.random.default_rng(seed)
    fixed, probability = random_fixed(rng), rng.uniform(0.2, 0.8, (3, 4, 5))
    before = probability.copy()
    found = fixed.put_into(probability)
    assert np.array_equal(probability, before)
    assert (found[fixed.included] == 1).all()
    assert (found[fixed.excluded] == 0).all()
    free = ~(fixed.included | fixed.excluded)
    assert np.array_equal(found[free], probability[free])


@settings(max_examples=40)
@given(geometries(), st.integers(0, 2), st.integers(0, 999))
def test_points_and_strokes_are_marked_where_they_lie(geometry, axis, seed):
    rng = np.random.default_rng(seed)
    stack = stack_of(geometry, axis)
    strokes = rng.choice([0, 1, 2], geometry.shape_kji, p=[0.8, 0.1, 0.1]).astype(np.uint8)
    voxels = np.argwhere(np.ones(geometry.shape_kji))
    chosen = voxels[rng.choice(len(voxels), 3, replace=False)]
    includes = rng.random(3) < 0.5
    places = geometry.kji_to_ras(chosen + rng.uniform(-0.4, 0.4, (3, 3)))
    points = tuple(
        Point(tuple(map(float, place)), bool(include))
        for place, include in zip(places, includes, strict=True)
    )
    found = marked_voxels(Prompt(points=points, scribbles=Mask(strokes, geometry)), stack)
    wanted = strokes.copy()
    for place, include in zip(chosen, includes, strict=True):
        wanted[tuple(place)] = 1 if include else 2
    assert np.array_equal(stack.to_volume(found.included), wanted == 1)
    assert np.array_equal(stack.to_volume(found.excluded), wanted == 2)
    assert found.included.shape == (stack.count, *stack.size)


def test_marking_changes_no_stroke():
    geometry = grid()
    strokes = Mask(np.zeros(geometry.shape_kji, np.uint8), geometry)
    x, y, z = map(float, geometry.kji_to_ras([[2, 3, 4]])[0])
    marked_voxels(Prompt(points=(Point((x, y, z)),), scribbles=strokes), stack_of(geometry))
    assert strokes.is_empty


def test_nothing_said_fixes_nothing():
    found = marked_voxels(Prompt(text="liver"), stack_of(grid()))
    assert not found.included.any()
    assert not found.excluded.any()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_edited_voxels_are_those_that_were_painted_or_erased(axis):
    rng = np.random.default_rng(0)
    geometry = grid()
    stack = stack_of(geometry, axis)
    before, now = (rng.integers(0, 3, geometry.shape_kji).astype(np.uint8) for _ in range(2))
    found = edited_voxels(Mask(now, geometry), Mask(before, geometry), stack)
    assert np.array_equal(stack.to_volume(found.included), (now > 0) & (before == 0))
    assert np.array_equal(stack.to_volume(found.excluded), (now == 0) & (before > 0))
    unknown = edited_voxels(Mask(now, geometry), None, stack)
    assert not (unknown.included.any() or unknown.excluded.any())


def test_a_mask_on_another_grid_is_brought_to_the_region():
    whole = Geometry((4, 10, 10))
    part = whole.crop((slice(1, 3), slice(2, 8), slice(3, 9)))
    before, now = np.zeros((4, 10, 10), np.uint8), np.zeros((4, 10, 10), np.uint8)
    now[2, 5, 5] = 1
    before[1, 2, 3] = 1
    now[0, 0, 0] = 1  # outside the region
    found = edited_voxels(Mask(now, whole), Mask(before, whole), stack_of(part))
    assert np.argwhere(found.included).tolist() == [[1, 3, 2]]
    assert np.argwhere(found.excluded).tolist() == [[0, 0, 0]]
