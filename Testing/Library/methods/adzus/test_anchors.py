from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.methods.adzus.anchors import anchor_places
from Testing.Library.reference.diffseg_reference import grid_of_anchors


def test_the_published_grid():
    places = [divmod(place, 64) for place in anchor_places((64, 64), 16)]
    assert places == grid_of_anchors(64, 16)
    assert places[:3] == [(1, 1), (1, 5), (1, 9)] and places[-1] == (61, 61)


@given(st.integers(1, 70), st.integers(1, 70), st.integers(1, 64))
def test_any_grid_has_anchors_inside_and_each_once(rows, columns, per_side):
    places = anchor_places((rows, columns), per_side)
    assert len(set(places)) == len(places) == min(per_side, rows) * min(per_side, columns)
    assert min(places) >= 0 and max(places) < rows * columns
    margins = [places[0] // columns, rows - 1 - places[-1] // columns]
    assert abs(margins[0] - margins[1]) <= 1, "the anchors are centered"
