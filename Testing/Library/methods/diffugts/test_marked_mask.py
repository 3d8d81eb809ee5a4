"""Marks in some slices of a volume: the object is followed, and no further than it goes."""

import numpy as np
import pytest

from DiffusionSegLib.errors import Cancelled
from DiffusionSegLib.methods.diffugts.marked_choice import UntrainedMarkedChoice
from DiffusionSegLib.methods.diffugts.marked_mask import marked_mask
from DiffusionSegLib.methods.diffugts.marks import GridMarks
from DiffusionSegLib.progress import Progress
from Testing.Library.methods.diffugts.test_coarse_mask import volume
from Testing.Library.methods.diffugts.toys import dice

CANVAS = 48
MIDDLE = (19, 30)  # of the lesion of `volume`


def marks(shape, included=(), excluded=(), allowed=None):
    found = [np.zeros(shape, bool), np.zeros(shape, bool)]
    for mask, places in zip(found, (included, excluded), strict=True):
        for k, j, i in places:
            mask[k, j - 1 : j + 2, i - 1 : i + 2] = True
    boxed = allowed is not None
    return GridMarks(*found, allowed if boxed else np.ones(shape, bool), boxed)


def asked(picture, given, progress=None):
    return marked_mask(
        picture, np.zeros_like(picture), given, UntrainedMarkedChoice(), CANVAS,
        progress or Progress.silent(),
    )  # fmt: skip


def test_following_stops_where_the_object_ends():
    picture, truth = volume([False, True, True, True, False, True])
    found = asked(picture, marks(picture.shape, [(2, *MIDDLE)]))
    inside = found.belief >= 0.35
    assert inside.any(axis=(1, 2)).tolist() == [False, True, True, True, False, False]
    for number in (1, 2, 3):
        assert dice(inside[number], truth[number]) > 0.7
    assert (found.quality > 0).tolist() == [False, True, True, True, False, False]


def test_following_stops_where_it_becomes_another():
    """What is far larger, or elsewhere, is not the same object."""
    picture, _ = volume([True, True, False])
    picture[2, 10:40, 10:40] = 0.85
    found = asked(picture, marks(picture.shape, [(0, *MIDDLE)]))
    assert found.belief[1].max() > 0.5 and not found.belief[2].any()


def test_every_marked_slice_is_answered_by_its_own_marks():
    picture, truth = volume([True, False, False, True])
    found = asked(picture, marks(picture.shape, [(0, *MIDDLE), (3, *MIDDLE)]))
    inside = found.belief >= 0.35
    assert inside.any(axis=(1, 2)).tolist() == [True, False, False, True]
    assert dice(inside, truth) > 0.7


def test_a_box_alone_starts_in_its_middle_and_ends_at_its_walls():
    picture, truth = volume([True] * 6)
    allowed = np.zeros(picture.shape, bool)
    allowed[1:4, MIDDLE[0] - 8 : MIDDLE[0] + 9, MIDDLE[1] - 8 : MIDDLE[1] + 9] = True
    found = asked(picture, marks(picture.shape, allowed=allowed))
    inside = found.belief >= 0.35
    assert inside.any(axis=(1, 2)).tolist() == [False, True, True, True, False, False]
    assert not (inside & ~allowed).any()
    assert dice(inside[1:4], truth[1:4]) > 0.6


def test_a_box_where_nothing_fits_is_filled_round():
    picture, _ = volume([True])
    allowed = np.zeros(picture.shape, bool)
    allowed[0, 30:42, 14:30] = True  # plain tissue
    found = asked(picture, marks(picture.shape, allowed=allowed)).belief[0]
    assert found[36, 22] == 1.0 and not (found[~allowed[0]] > 0).any()
    assert 0.5 < (found >= 0.35)[30:42, 14:30].mean() <= 1.0


def test_the_marks_themselves_are_believed_and_excluded_ones_are_not():
    picture, _ = volume([True])
    given = marks(picture.shape, [(0, *MIDDLE)], [(0, MIDDLE[0] + 12, MIDDLE[1])])
    found = asked(picture, given).belief
    assert found[0][given.included[0]].min() > 0.9
    assert found[0][given.excluded[0]].max() < 0.5


def test_an_excluded_mark_ends_the_following():
    """Whoever marks a slice as not belonging means that the object is not there."""
    picture, _ = volume([True] * 5)
    given = marks(picture.shape, [(1, *MIDDLE)], [(3, *MIDDLE)])
    inside = asked(picture, given).belief >= 0.35
    assert inside.any(axis=(1, 2)).tolist() == [True, True, True, False, False]


@pytest.mark.parametrize("side", [1, 2])
def test_a_thin_stroke_is_seen_on_a_coarser_canvas(side):
    picture, truth = volume([True], side=120)
    given = np.zeros(picture.shape, bool)
    given[0, 48 : 48 + side, 68:80] = True
    nothing = np.zeros_like(given)
    found = asked(picture, GridMarks(given, nothing, ~nothing, False))
    assert dice(found.belief >= 0.35, truth) > 0.7


def test_following_is_reported_and_can_be_stopped():
    picture, _ = volume([True] * 4)
    told = []
    asked(picture, marks(picture.shape, [(0, *MIDDLE)]), Progress(listener=told.append))
    assert [one.stage for one in told].count("Following the object") >= 3
    assert told[-1].fraction == 1.0
    with pytest.raises(Cancelled):
        asked(picture, marks(picture.shape, [(0, *MIDDLE)]), Progress(cancelled=lambda: True))


def test_many_marked_slices_are_reported_one_by_one():
    picture, _ = volume([True] * 4)
    told, left = [], [2]
    given = marks(picture.shape, [(number, *MIDDLE) for number in range(4)])
    asked(picture, given, Progress(listener=told.append))
    assert [one.stage for one in told].count("Comparing regions") == 6  # the last when all is done

    def cancelled():
        left[0] -= 1
        return left[0] < 0

    with pytest.raises(Cancelled):
        asked(picture, given, Progress(cancelled=cancelled))
