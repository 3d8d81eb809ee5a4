"""Marks on a few slices become a body, in volumes whose body is known."""

import numpy as np
import pytest

from DiffusionSegLib.errors import Cancelled, PromptError
from DiffusionSegLib.methods.adzus.volume_rule import outline_volume
from DiffusionSegLib.progress import Progress
from Testing.Library.methods.adzus.ball_volume import BallVolume, ellipsoid, grown
from Testing.Library.methods.adzus.disc_planes import dice

BODY = ellipsoid(24, (12, 30, 34), (9, 12, 10))


def outlined(volume, marked, progress=None, **options):
    told = progress or Progress.silent()
    return outline_volume(volume.stack, marked, volume.plane_of, grown, told, **options)


def inside(found):
    return np.asarray(found.probability) >= 0.5


@pytest.fixture(scope="module")
def ball():
    return BallVolume(BODY)


@pytest.fixture(scope="module")
def one_click(ball):
    return outlined(ball, {12: [ball.click(30, 34)]})


def test_one_click_finds_the_body(one_click):
    assert one_click.probability.shape == BODY.shape
    assert one_click.probability.min() >= 0 and one_click.probability.max() <= 1
    assert dice(inside(one_click), BODY) > 0.85
    assert one_click.first <= 5 and one_click.last >= 19
    assert 0.9 < one_click.match <= 1


def test_it_ends_near_the_bodys_ends_and_says_why(one_click):
    there = np.flatnonzero(inside(one_click).any(axis=(1, 2)))
    assert abs(there[0] - 4) <= 3 and abs(there[-1] - 20) <= 3
    assert all(reason.startswith("Slice ") for reason in one_click.reasons)


def test_a_body_that_moves_from_slice_to_slice_is_followed():
    bodies = np.stack([ellipsoid(1, (0, 20 + k, 32), (1, 9, 9))[0] for k in range(17)])
    volume = BallVolume(bodies)
    found = inside(outlined(volume, {8: [volume.click(28, 32)]}))
    still = np.broadcast_to(bodies[8], bodies.shape)
    for k in (3, 13):
        assert dice(found[k], bodies[k]) > 0.72 > dice(still[k], bodies[k])


def test_reach_limits_the_slices(ball):
    found = outlined(ball, {12: [ball.click(30, 34)]}, reach=2)
    assert (found.first, found.last) == (10, 14)
    assert not found.probability[:10].any() and not found.probability[15:].any()
    assert found.reasons == ("", "")


def test_two_marks_hold_what_one_does_not_reach():
    """A long thin rod, far longer than it is wide."""
    bodies = np.zeros((40, 64, 64), dtype=bool)
    bodies[3:37, 28:37, 28:37] = True
    volume = BallVolume(bodies)
    alone = inside(outlined(volume, {8: [volume.click(32, 32)]}))
    both = inside(outlined(volume, {8: [volume.click(32, 32)], 32: [volume.click(32, 32)]}))
    assert not alone[24].any()
    assert all(dice(both[k], bodies[k]) > 0.85 for k in range(8, 33))


def test_excluding_a_whole_slice_ends_the_body_before_it(ball):
    marks = {12: [ball.click(30, 34)], 17: [ball.click(30, 34, False)]}
    found = outlined(ball, marks)
    assert not inside(found)[17:].any()
    assert inside(found)[14].any() and inside(found)[7].any()
    assert "excluded" in found.reasons[1]


def test_a_mark_outside_the_outline_excludes_nothing(ball, one_click):
    found = outlined(ball, {12: [ball.click(30, 34)], 15: [ball.click(2, 2, False)]})
    assert np.array_equal(found.probability, one_click.probability)


def test_parts_without_a_click_are_left_out():
    bodies = BODY | ellipsoid(24, (12, 30, 8), (5, 5, 5))
    volume = BallVolume(bodies)
    found = inside(outlined(volume, {12: [volume.click(30, 34)]}))
    assert not (found & ellipsoid(24, (12, 30, 8), (5, 5, 5))).any()


def test_marks_of_before_need_no_further_look(ball):
    seen = {}
    first = outlined(ball, {12: [ball.click(30, 34)]}, seen=seen)
    looks = len(ball.looked)
    again = outlined(ball, {12: [ball.click(30, 34)]}, seen=seen)
    assert len(ball.looked) - looks == 1  # the marked slice is read
    assert np.array_equal(first.probability, again.probability)
    assert set(seen) >= set(range(first.first, first.last + 1))


def test_only_excluding_is_refused(ball):
    with pytest.raises(PromptError, match="Every mark excludes"):
        outlined(ball, {3: [ball.click(1, 1, False)]})


def test_it_stops_at_any_slice(ball):
    for most in (1, 4, 9):
        begun = len(ball.looked)
        progress = Progress(cancelled=lambda b=begun, m=most: len(ball.looked) - b >= m)
        with pytest.raises(Cancelled):
            outlined(ball, {12: [ball.click(30, 34)]}, progress)
        assert len(ball.looked) - begun == most


def test_progress_names_slices_and_never_falls(ball):
    told = []
    outlined(ball, {12: [ball.click(30, 34)]}, Progress(told.append))
    fractions = [one.fraction for one in told]
    assert fractions == sorted(fractions) and fractions[-1] == 1
    assert any(one.stage.startswith("Slice 13 of 24") for one in told)
