import numpy as np
import pytest

from DiffusionSegLib.errors import Cancelled
from DiffusionSegLib.methods.diffugts.coarse_mask import (
    CoarseMask,
    CoarseSettings,
    coarse_mask,
    on_canvas,
)
from DiffusionSegLib.methods.diffugts.slice_regions import RegionShelf
from DiffusionSegLib.progress import Progress
from Testing.Library.methods.diffugts.test_region_candidates import disc
from Testing.Library.methods.diffugts.toys import dice, toy_networks

SETTINGS = CoarseSettings(canvas=48)


def volume(lesions, side=48):
    """(slices, side, side): tissue in air, with a bright disc where ``lesions`` says."""
    body = disc((side, side), (side / 2, side / 2), side * 0.42)
    lesion = disc((side, side), (side * 0.4, side * 0.62), side * 0.11)
    rng = np.random.default_rng(0)
    slices = [
        np.where(lesion & there, 0.85, np.where(body, 0.4 + 0.015 * rng.normal(size=body.shape), 0))
        for there in lesions
    ]
    return np.array(slices, np.float32), lesion & np.array(lesions, bool)[:, None, None]


def asked(picture, between_mm=5.0, progress=None, shelf=None, settings=SETTINGS):
    choice = toy_networks().choice
    return coarse_mask(
        picture, np.zeros_like(picture), choice, settings, between_mm,
        progress or Progress.silent(), shelf,
    )  # fmt: skip


def test_a_picture_s_lesion_is_what_stands_out():
    picture, truth = volume([True])
    found = asked(picture)
    assert found.belief.shape == picture.shape and found.belief.dtype == np.float32
    assert found.belief.min() >= 0 and found.belief.max() <= 1
    assert dice(found.mask(0.35), truth) > 0.7
    assert found.quality[0] > 0.5


def test_slices_speak_for_their_neighbors():
    """The lesion of a volume is where most of it is; slices without it get little belief."""
    picture, truth = volume([False, True, True, False])
    found = asked(picture, between_mm=5.0)
    assert found.quality[1:3].min() > found.quality[[0, 3]].max()
    assert found.belief.max() == pytest.approx(1.0)
    assert dice(found.mask(0.35), truth) > 0.45
    thick, thin = asked(picture, between_mm=50.0), asked(picture, between_mm=2.0)
    spread = [float(one.belief[0, truth[1]].mean()) for one in (thick, thin)]
    assert spread[0] < spread[1]


def test_of_a_volume_only_the_part_with_most_belief_is_kept():
    belief = np.zeros((3, 9, 9), np.float32)
    belief[0, 1:3, 1:3] = 0.9
    belief[1:, 5:8, 5:8] = 0.5
    found = CoarseMask(belief, np.ones(3, np.float32)).mask(0.4)
    assert found[1:, 5:8, 5:8].all() and found.sum() == 18
    flat = CoarseMask(np.array([[[0.9, 0, 0.5]]], np.float32), np.ones(1, np.float32))
    assert flat.mask(0.4).tolist() == [[[True, False, True]]]


@pytest.mark.parametrize("slices", [1, 4])
def test_where_there_is_nothing_nothing_is_believed(slices):
    found = asked(np.zeros((slices, 64, 64), np.float32))
    assert not found.belief.any() and not found.quality.any()
    assert not found.mask(0.35).any()
    assert np.isfinite(found.belief).all()


def test_a_shelf_makes_no_difference():
    picture, _ = volume([True, True])
    shelf = RegionShelf()
    first, second = asked(picture, shelf=shelf), asked(picture, shelf=shelf)
    assert np.array_equal(first.belief, second.belief)
    assert np.array_equal(asked(picture).belief, second.belief)


def test_every_slice_is_reported_and_may_be_the_last():
    picture, _ = volume([True, False, True])
    told = []
    asked(picture, progress=Progress(listener=told.append))
    assert [round(one.fraction, 3) for one in told] == [0, 0.333, 0.667, 1]
    assert {one.stage for one in told} == {"Comparing regions"}
    with pytest.raises(Cancelled):
        asked(picture, progress=Progress(cancelled=lambda: True))


def test_a_canvas_averages_where_it_shrinks_and_keeps_the_shape():
    slice_ = np.kron(np.indices((32, 48)).sum(0) % 2, np.ones((4, 4))).astype(np.float32)
    small = on_canvas(slice_, 12)
    assert small.shape == (8, 12)
    np.testing.assert_allclose(small[2:-2, 2:-2], 0.5, atol=0.02)  # no moiré
    assert on_canvas(np.ones((3, 60), np.float32), 30).shape == (8, 30)
    same = np.random.default_rng(0).uniform(size=(20, 30)).astype(np.float32)
    np.testing.assert_allclose(on_canvas(same, 30), same, atol=1e-6)
