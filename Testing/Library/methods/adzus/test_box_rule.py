import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from DiffusionSegLib.methods.adzus.box_rule import outline_box
from DiffusionSegLib.methods.adzus.hints import Hint, disc_hint
from Testing.Library.methods.adzus.disc_planes import dice, disc, plane_showing

SIZE = (96, 80)


def box_of(rows: tuple[int, int], columns: tuple[int, int]):
    box = np.zeros(SIZE, bool)
    box[rows[0] : rows[1], columns[0] : columns[1]] = True
    return box


def test_it_finds_what_fills_the_box():
    truth = disc(SIZE, (46, 40), 20)
    found = outline_box(plane_showing(truth), box_of((25, 68), (19, 62)), ())
    assert dice(found.mask, truth) > 0.97
    assert found.score > 0.8


def test_a_dark_structure_is_found_as_well():
    truth = disc(SIZE, (46, 40), 20)
    plane = plane_showing(truth, contrast=-0.25)
    assert dice(outline_box(plane, box_of((25, 68), (19, 62)), ()).mask, truth) > 0.97


def test_of_two_structures_the_box_chooses():
    inner, outer = disc(SIZE, (46, 40), 12), disc(SIZE, (46, 40), 28)
    plane = plane_showing(inner.astype(float) * 0.5 + outer * 0.5, contrast=0.6)
    small = outline_box(plane, box_of((33, 60), (27, 54)), ()).mask
    large = outline_box(plane, box_of((17, 76), (11, 70)), ()).mask
    assert dice(small, inner) > 0.9
    assert dice(large, outer) > 0.9


def test_two_boxes_hold_two_structures():
    left, right = disc(SIZE, (40, 22), 12), disc(SIZE, (60, 58), 9)
    boxes = box_of((27, 54), (9, 36)) | box_of((50, 71), (48, 69))
    found = outline_box(plane_showing(left | right), boxes, ())
    assert dice(found.mask, left | right) > 0.95


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 90), st.integers(0, 74), st.integers(1, 60), st.integers(1, 60), st.data())
def test_the_outline_stays_in_the_box_and_keeps_the_hints(row, column, height, width, data):
    box = box_of((row, row + height), (column, column + width))
    places = np.argwhere(box)
    chosen = data.draw(st.lists(st.integers(0, len(places) - 1), max_size=4, unique=True))
    hints = [Hint(places[[n]], number % 2 == 0) for number, n in enumerate(chosen)]
    plane = plane_showing(disc(SIZE, (46, 40), 20))
    found = outline_box(plane, box, hints)
    assert not found.probability[~box].any()
    assert found.probability.dtype == np.float32
    assert 0 <= found.probability.min() <= found.probability.max() <= 1
    assert 0 <= found.score <= 1
    for hint in hints:
        values = found.probability[tuple(hint.pixels.T)]
        assert (values == float(hint.include)).all()


def test_hints_change_more_than_their_own_pixels():
    left, right = disc(SIZE, (46, 28), 14), disc(SIZE, (46, 58), 14)
    plane = plane_showing(left | right)
    box = box_of((30, 63), (12, 75))
    without = outline_box(plane, box, ()).mask
    excluded = Hint(np.argwhere(disc(SIZE, (46, 58), 9)), False, is_click=False)
    found = outline_box(plane, box, [disc_hint(46, 28, SIZE, True), excluded]).mask
    assert found[46, 28]
    rim = right & ~disc(SIZE, (46, 58), 9)
    assert found[rim].mean() < 0.5
    assert found[rim].mean() < without[rim].mean()


@pytest.mark.parametrize("hint", [None, disc_hint(10, 10, SIZE, False)])
def test_a_box_around_everything_and_an_empty_one(hint):
    plane = plane_showing(disc(SIZE, (46, 40), 20))
    hints = () if hint is None else (hint,)
    whole = outline_box(plane, np.ones(SIZE, bool), hints)
    assert whole.mask.any()
    assert hint is None or not whole.mask[10, 10]
    assert not outline_box(plane, np.zeros(SIZE, bool), hints).mask.any()
