import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Box, Prompt
from DiffusionSegLib.planning.around import region_around
from Testing.Library.geometries import KIND_NAMES, KINDS, SHEARED, grid

GRID = Geometry((40, 60, 50), (1.0, 2.0, 3.0), (-5.0, 10.0, 30.0))


def marked(*places, geometry=GRID):
    return Prompt(points=[tuple(geometry.kji_to_ras([one])[0]) for one in places])


def test_whole_voxels_with_the_margin_on_all_sides():
    box = region_around(marked((20, 30, 25)), GRID, 6.0)
    # k is 3 mm, j 2 mm, i 1 mm
    assert box.slices_kji(GRID) == (slice(18, 23), slice(27, 34), slice(19, 32))


def test_it_ends_where_the_image_does():
    box = region_around(marked((0, 59, 2)), GRID, 6.0)
    assert box.slices_kji(GRID) == (slice(0, 3), slice(56, 60), slice(0, 9))


def test_boxes_strokes_and_masks_count():
    stroke = np.zeros(GRID.shape_kji, np.uint8)
    stroke[5, 10:12, 7] = 2
    box = Box.from_corners(*(GRID.kji_to_ras([one])[0] for one in ((8, 20, 9), (9, 22, 12))))
    prompt = Prompt(boxes=[box], scribbles=Mask(stroke, GRID))
    assert region_around(prompt, GRID, 0.0).slices_kji(GRID) == (
        slice(5, 10), slice(10, 23), slice(7, 13),
    )  # fmt: skip
    painted = np.zeros(GRID.shape_kji, np.uint8)
    painted[15:18, 2, 3] = 1
    found = region_around(Prompt(), GRID, 0.0, Mask(painted, GRID)).slices_kji(GRID)
    assert found == (slice(15, 18), slice(2, 3), slice(3, 4))


def test_nothing_marked_or_nearly_everything():
    assert region_around(Prompt(text="liver"), GRID, 5.0) is None
    assert region_around(Prompt(), GRID, 5.0, Mask(np.zeros(GRID.shape_kji), GRID)) is None
    assert region_around(marked((0, 0, 0), (39, 59, 45)), GRID, 0.0) is None
    assert region_around(marked((20, 30, 25)), GRID, 500.0) is None


@pytest.mark.parametrize("kind", KINDS, ids=KIND_NAMES)
@settings(max_examples=30)
@given(place=st.tuples(*[st.floats(0.1, 0.9)] * 3), margin=st.floats(0.0, 6.0))
def test_every_voxel_within_the_margin_is_kept_however_the_image_lies(kind, place, margin):
    geometry = grid((12, 14, 16), **kind)
    index = np.round(np.array(place) * (np.array(geometry.shape_kji) - 1))
    box = region_around(marked(index, geometry=geometry), geometry, margin)
    if box is None:
        return
    kept = np.zeros(geometry.shape_kji, bool)
    kept[box.slices_kji(geometry)] = True
    steps = np.abs(np.indices(geometry.shape_kji).reshape(3, -1).T - index)
    near = (steps * np.array(geometry.spacing_mm[::-1]) <= margin + 1e-9).all(axis=1)
    assert kept.ravel()[near].all()
    assert kept.sum() <= 0.8 * kept.size


def test_sheared_slices_get_a_box_that_holds_what_is_near():
    box = region_around(marked((2, 3, 4), geometry=SHEARED), SHEARED, 0.5)
    k, j, i = box.slices_kji(SHEARED)
    assert k.start <= 2 < k.stop and j.start <= 3 < j.stop and i.start <= 3 and i.stop >= 6
