import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.methods.constraints import (
    FREE,
    class_indices,
    edited_voxels,
    on_grid,
    prompt_constraints,
)
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Prompt
from Testing.Library.geometries import KIND_NAMES, KINDS, geometries, grid

VALUES = (3, 7)


def labels(seed, geometry=None):
    geometry = geometry or grid()
    array = np.random.default_rng(seed).choice([0, 3, 7], geometry.shape_kji).astype(np.uint8)
    return Mask(array, geometry)


def test_label_values_become_class_indices_and_strange_ones_background():
    array = np.array([[[0, 3, 7, 1, 255]]], np.uint8)
    assert class_indices(array, VALUES).tolist() == [[[0, 1, 2, 0, 0]]]


@given(st.integers(0, 99), st.integers(0, 99))
def test_only_what_differs_is_the_users(first, second):
    edited, original = labels(first), labels(second)
    fixed = edited_voxels(edited, original, VALUES)
    same = edited.array == original.array
    assert (fixed[same] == FREE).all()
    assert np.array_equal(fixed[~same], class_indices(edited.array, VALUES)[~same])


def test_no_clicks_and_no_scribbles_fix_nothing():
    ones = np.ones(grid().shape_kji, np.int64)
    assert prompt_constraints(Prompt(), grid(), ones, 1.0) is None
    assert prompt_constraints(Prompt(boxes=[[0, 0, 0, 9, 9, 9]]), grid(), ones, 1.0) is None


@pytest.mark.parametrize("kind", KINDS, ids=KIND_NAMES)
def test_a_click_fixes_a_ball_in_millimetres(kind):
    geometry = grid(**kind)
    likely = np.full(geometry.shape_kji, 2)
    indices = np.indices(geometry.shape_kji).reshape(3, -1).T
    for radius_mm in (0.0, 1.37, 2.63):
        place = geometry.kji_to_ras([[2.2, 3.3, 4.4]])[0]
        for sign, value in (("+", 2), ("-", 0)):
            fixed = prompt_constraints(Prompt(points=[(*place, sign)]), geometry, likely, radius_mm)
            distance = np.linalg.norm(geometry.kji_to_ras(indices) - place, axis=1)
            near = (distance <= radius_mm).reshape(geometry.shape_kji)
            near[2, 3, 4] = True  # the nearest voxel, however small the brush
            assert np.array_equal(fixed == value, near)
            assert (fixed[~near] == FREE).all()


@given(geometries(), st.data())
def test_the_clicked_voxel_is_always_fixed(geometry, data):
    index = [data.draw(st.floats(-0.5, size - 0.5)) for size in geometry.shape_kji]
    point = tuple(geometry.kji_to_ras([index])[0])
    likely = np.ones(geometry.shape_kji, np.int64)
    fixed = prompt_constraints(Prompt(points=[point]), geometry, likely, 0.0)
    assert (fixed == 1).sum() >= 1
    nearest = np.clip(np.rint(index), 0, np.array(geometry.shape_kji) - 1).astype(int)
    places = np.argwhere(fixed == 1)
    assert np.abs(places - nearest).max() <= 1


def test_an_including_click_takes_the_likely_class_of_its_own_voxel():
    geometry = grid()
    likely = np.ones(geometry.shape_kji, np.int64)
    likely[2, 3, 4] = 2
    point = tuple(geometry.kji_to_ras([2, 3, 4])[0])
    fixed = prompt_constraints(Prompt(points=[point]), geometry, likely, 1.1)
    assert set(np.unique(fixed)) == {FREE, 2}


def test_later_clicks_win_and_clicks_win_over_scribbles():
    geometry = grid()
    ones = np.ones(geometry.shape_kji, np.int64)
    place = geometry.kji_to_ras([2, 3, 4])[0]
    scribbles = Mask(np.full(geometry.shape_kji, 2, np.uint8), geometry)
    for signs, last in ((("+", "-"), 0), (("-", "+"), 1)):
        prompt = Prompt(points=[(*place, sign) for sign in signs], scribbles=scribbles)
        fixed = prompt_constraints(prompt, geometry, ones, 0.0)
        assert fixed[2, 3, 4] == last
        assert fixed[0, 0, 0] == 0


@given(st.integers(0, 99))
def test_scribbles_fix_exactly_their_voxels(seed):
    geometry = grid(oblique=True, anisotropic=True)
    rng = np.random.default_rng(seed)
    strokes = rng.integers(0, 3, geometry.shape_kji).astype(np.uint8)
    likely = rng.integers(1, 3, geometry.shape_kji)
    fixed = prompt_constraints(Prompt(scribbles=Mask(strokes, geometry)), geometry, likely, 1.0)
    assert np.array_equal(fixed[strokes == 1], likely[strokes == 1])
    assert (fixed[strokes == 2] == 0).all()
    assert (fixed[strokes == 0] == FREE).all()


def test_scribbles_on_another_grid_lie_at_their_place_in_the_world():
    geometry = Geometry((6, 6, 6))
    part = geometry.crop((slice(2, 4), slice(1, 3), slice(3, 5)))
    scribbles = Mask(np.full((2, 2, 2), 1, np.uint8), part)
    ones = np.ones((6, 6, 6), np.int64)
    fixed = prompt_constraints(Prompt(scribbles=scribbles), geometry, ones, 1.0)
    expected = np.full((6, 6, 6), FREE)
    expected[2:4, 1:3, 3:5] = 1
    assert np.array_equal(fixed, expected)


def test_another_grid_takes_the_nearest_voxel_and_is_free_outside():
    geometry = grid(oblique=True)
    fixed = np.random.default_rng(0).integers(-1, 3, geometry.shape_kji).astype(np.int16)
    assert on_grid(fixed, geometry, geometry) is fixed
    part = (slice(1, 4), slice(2, 6), slice(0, 9))
    assert np.array_equal(on_grid(fixed, geometry, geometry.crop(part)), fixed[part])
    back = on_grid(fixed[part], geometry.crop(part), geometry)
    assert np.array_equal(back[part], fixed[part])
    back[part] = FREE
    assert (back == FREE).all()
    fine = geometry.with_shape(tuple(2 * n for n in geometry.shape_kji))
    doubled = on_grid(fixed, geometry, fine)
    assert np.array_equal(doubled[::2, ::2, ::2], fixed)
    assert np.array_equal(doubled[1::2, 1::2, 1::2], fixed)
