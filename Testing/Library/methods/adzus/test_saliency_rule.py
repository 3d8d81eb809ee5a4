import numpy as np
import pytest

from DiffusionSegLib.methods.adzus.region_rule import find_plane_regions
from DiffusionSegLib.methods.adzus.saliency_rule import (
    SALIENCY_WEIGHTS,
    Saliency,
    measure_saliency,
    outline_salient,
)
from DiffusionSegLib.methods.adzus.settings import RegionSettings
from DiffusionSegLib.methods.adzus.standing_alone import overlap
from Testing.Library.methods.adzus.made_planes import made_picture, made_plane, thing

SETTINGS = RegionSettings(tau=0.3, anchors=8)


def outline(rgb, granularity=0.5):
    plane = made_plane(rgb)
    return outline_salient(plane, find_plane_regions(plane, SETTINGS), granularity)


def disc_picture():
    """The scene's disk alone."""
    picture = made_picture()
    picture[thing(2)] = picture[2, 2]
    return picture


def test_the_one_thing_is_found():
    found = outline(disc_picture())
    assert overlap(found.mask, thing(1)) > 0.85
    assert found.score > 0.6


def test_nothing_stands_out_of_noise():
    rng = np.random.default_rng(1)
    noise = rng.random((96, 96, 3)).astype(np.float32)
    assert outline(noise).score < 0.3 < 0.6 < outline(disc_picture()).score
    assert outline(np.full((96, 96, 3), 0.5, dtype=np.float32)).score < 0.1


def test_the_bar_that_the_frame_cuts_off_comes_after_the_disk():
    plane = made_plane()
    disk, bar = (measure_saliency(thing(number), plane) for number in (1, 2))
    assert disk.inside == 1.0
    assert bar.inside == 0.0
    assert disk.weighted(SALIENCY_WEIGHTS) > bar.weighted(SALIENCY_WEIGHTS) + 0.2


def test_the_slider_goes_from_small_to_large():
    picture = made_picture()
    areas = [int(outline(picture, value).mask.sum()) for value in (0.0, 0.5, 1.0)]
    assert areas == sorted(areas)


def test_measures_by_hand():
    plane = made_plane()
    square = np.zeros((96, 96), dtype=bool)
    square[:24, 36:60] = True
    found = measure_saliency(square, plane)
    assert found.inside == 0.0  # one whole side of the square lies on the frame
    assert found.middle == pytest.approx(1 - 36 / np.hypot(48, 48), abs=1e-6)
    assert found.compact == pytest.approx(np.pi / 4, abs=0.12)
    square[:] = False
    square[36:60, 36:60] = True
    found = measure_saliency(square, plane)
    assert (found.inside, found.middle) == (1.0, 1.0)


def test_the_mean_is_geometric_and_weighted():
    values = Saliency(0.5, 1.0, 0.25, 1.0, 1.0, 1.0)
    weights = Saliency(2.0, 1.0, 1.0, 1.0, 1.0, 2.0)
    assert values.weighted(weights) == pytest.approx((0.5**2 * 0.25) ** (1 / 8))


def test_candidates_are_others():
    found = outline(made_picture())
    masks = [found.mask, *(one.mask for one in found.candidates)]
    assert len(masks) >= 2
    assert all(overlap(a, b) <= 0.75 for i, a in enumerate(masks) for b in masks[:i])
