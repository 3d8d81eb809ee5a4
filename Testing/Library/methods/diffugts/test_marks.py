"""Clicks, strokes and boxes land on the voxels that they lie on, however grids lie in the world."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from DiffusionSegLib.errors import PromptError
from DiffusionSegLib.methods.diffugts.marks import grid_marks
from DiffusionSegLib.methods.diffugts.working_grid import WorkingGrid
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Box, Point, Prompt
from Testing.Library.geometries import KIND_NAMES, KINDS, geometries, grid

FLAT, UPRIGHT = WorkingGrid(2, 24), WorkingGrid(3, spacing_mm=(1.0, 1.0, 1.0))


def ras(geometry, kji):
    return tuple(float(n) for n in geometry.kji_to_ras([kji])[0])


def nearest(target, position_ras):
    return tuple(int(n) for n in np.rint(target.ras_to_kji([position_ras])[0]))


@pytest.mark.parametrize("kind", KINDS, ids=KIND_NAMES)
@pytest.mark.parametrize("working", [FLAT, UPRIGHT], ids=["slices", "volume"])
def test_a_click_a_stroke_and_a_box_at_one_place(kind, working):
    source = grid((6, 12, 14), **kind)
    target, place = working.geometry(source), (3, 5, 9)
    there = nearest(target, ras(source, place))
    clicked = grid_marks(Prompt(points=[Point(ras(source, place))]), source, target)
    assert clicked.included[there] and not clicked.excluded.any() and clicked.allowed.all()
    assert np.unique(np.nonzero(clicked.included)[0]).tolist() == [there[0]]
    strokes = np.zeros(source.shape_kji, np.uint8)
    strokes[place], strokes[1, 2, 3] = 1, 2
    stroked = grid_marks(Prompt(scribbles=Mask(strokes, source)), source, target)
    assert stroked.included.sum() == stroked.excluded.sum() == 1
    assert stroked.included[there] and stroked.excluded[nearest(target, ras(source, (1, 2, 3)))]
    axes = tuple(tuple(row) for row in np.asarray(source.ijk_to_ras[:3, :3]) / source.spacing_mm)
    size = [4 * mm for mm in source.spacing_mm]  # five voxels along i, j, k
    boxed = grid_marks(Prompt(boxes=[Box(ras(source, place), size, axes)]), source, target)
    assert boxed.boxed and boxed.allowed[there] and not boxed.is_empty
    offsets = np.abs(
        source.ras_to_kji(target.kji_to_ras(np.indices(target.shape_kji).reshape(3, -1).T)) - place
    )
    wanted = (offsets <= 2 + 1e-6).all(axis=1).reshape(target.shape_kji)
    assert np.array_equal(boxed.allowed, wanted)


@settings(max_examples=40)
@given(geometries(), st.data())
def test_a_click_anywhere_in_an_image(source, data):
    kji = [data.draw(st.floats(0, n - 1)) for n in source.shape_kji]
    point = Point(ras(source, kji), data.draw(st.booleans()))
    found = grid_marks(Prompt(points=[point]), source, source)
    marked, other = found.included, found.excluded
    if not point.include:
        marked, other = other, marked
    near = np.argwhere(marked) - kji
    assert np.abs(near).max(axis=1).min() <= 0.5 + 1e-6 and not other.any()
    assert found.is_empty == (not point.include)


def test_a_click_is_a_disc_within_one_slice():
    source = Geometry((3, 200, 200))
    found = grid_marks(Prompt(points=[ras(source, (1, 80, 90))]), source, source).included
    rows, columns = np.indices((200, 200))
    assert np.array_equal(found[1], (rows - 80) ** 2 + (columns - 90) ** 2 <= 9)
    assert not found[[0, 2]].any()


@pytest.mark.parametrize("kind", KINDS[::3], ids=KIND_NAMES[::3])
def test_a_picture_that_lies_anyhow_in_the_world(kind):
    """A click need not lie exactly in its plane."""
    source = grid((1, 30, 40), **kind)
    normal = np.cross(*source.ijk_to_ras[:3, :2].T)
    place = np.array(ras(source, (0, 11, 23))) + 4 * normal / np.linalg.norm(normal)
    found = grid_marks(Prompt(points=[tuple(place)]), source, source)
    assert found.included[0, 11, 23] and found.included.sum() == 5


def test_what_is_included_goes_before_what_is_excluded():
    source = Geometry((1, 30, 30))
    here = ras(source, (0, 9, 9))
    found = grid_marks(Prompt(points=[Point(here), Point(here, False)]), source, source)
    assert found.included[0, 9, 9] and not (found.included & found.excluded).any()


def test_marks_outside_what_is_looked_at_are_refused():
    whole = Geometry((4, 20, 20))
    part = whole.crop((slice(0, 4), slice(0, 10), slice(0, 20)))
    outside = ras(whole, (2, 15, 5))
    strokes = np.zeros(whole.shape_kji, np.uint8)
    strokes[2, 15, 5] = 1
    box = Box(outside, (2, 2, 2))
    for prompt in (Prompt(points=[outside]), Prompt(boxes=[box])):
        with pytest.raises(PromptError, match="outside"):
            grid_marks(prompt, part, part)
        grid_marks(prompt, whole, whole)
    with pytest.raises(PromptError, match="strokes lie outside"):
        grid_marks(Prompt(scribbles=Mask(strokes, whole)), part, part)


def test_which_slices_are_marked():
    source = Geometry((7, 20, 20))
    none = grid_marks(Prompt(text="words"), source, source)
    assert none.is_empty and none.slices() == [] and none.allowed.all()
    two = Prompt(points=[ras(source, (1, 5, 5)), ras(source, (4, 5, 5))])
    assert grid_marks(two, source, source).slices() == [1, 4]
    box = Box.from_corners(ras(source, (2, 3, 3)), ras(source, (6, 9, 9)))
    assert grid_marks(Prompt(boxes=[box]), source, source).slices() == [4]
    both = replace(two, boxes=(box,))
    assert grid_marks(both, source, source).slices() == [1, 4]
    excluded = Prompt(points=[Point(ras(source, (1, 5, 5)), False)])
    found = grid_marks(excluded, source, source)
    assert found.is_empty and found.excluded.any() and found.slices() == []


def test_a_box_thinner_than_a_voxel_means_one_that_it_touches():
    source = Geometry((5, 20, 20), (1.0, 1.0, 5.0))
    middle = np.array(ras(source, (2, 8, 8))) + np.array((0.1, 0.1, 2.0))
    found = grid_marks(Prompt(boxes=[Box(tuple(middle), (0.2, 0.2, 0.2))]), source, source)
    assert found.allowed.sum() == 1 and found.allowed[2:4, 8, 8].any()


def test_marks_on_a_padded_picture():
    source = Geometry((3, 10, 13))
    box = Box.from_corners(ras(source, (0, 2, 2)), ras(source, (2, 9, 12)))
    for prompt in (Prompt(points=[ras(source, (1, 9, 12))]), Prompt(boxes=[box])):
        found = grid_marks(prompt, source, source)
        wide = found.padded_to((3, 16, 16))
        for name in ("included", "excluded", "allowed"):
            assert np.array_equal(getattr(wide, name)[:, :10, :13], getattr(found, name))
        assert not wide.included[:, 10:].any() and not wide.included[:, :, 13:].any()
        assert wide.allowed[:, 10:].any() == (not prompt.boxes)
