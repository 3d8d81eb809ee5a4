import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from DiffusionSegLib.methods.diffugts.region_candidates import (
    BODY,
    CandidateSettings,
    region_candidates,
)
from Testing.Library.methods.diffugts.toys import dice, head


def disc(shape, middle, radius):
    rows, columns = np.indices(shape)
    return (rows - middle[0]) ** 2 + (columns - middle[1]) ** 2 <= radius**2


def overlaps(regions, truth):
    return [dice(region, truth) for region in regions]


@pytest.mark.parametrize(("shade", "least"), [(0.1, 0.85), (0.25, 0.85), (0.75, 0.7), (0.95, 0.7)])
def test_what_is_brighter_or_darker_than_around_is_among_them(shade, least):
    """Bright ones less exactly: no threshold lies half way between their shade and the tissue's."""
    rng = np.random.default_rng(0)
    truth = disc((96, 96), (40, 60), 9)
    slice_ = np.where(disc((96, 96), (48, 48), 40), 0.5 + 0.02 * rng.normal(size=(96, 96)), 0.0)
    slice_ = np.where(truth, shade, slice_).astype(np.float32)
    found = region_candidates(slice_)
    assert found.dtype == bool and found.shape[1:] == (96, 96)
    assert max(overlaps(found, truth)) > least


def test_a_hole_is_filled():
    slice_ = np.where(disc((96, 96), (48, 48), 40), 0.4, 0.0)
    ring = disc((96, 96), (48, 48), 15)
    slice_ = np.where(ring & ~disc((96, 96), (48, 48), 8), 0.12, slice_).astype(np.float32)
    found = region_candidates(slice_)
    best = found[int(np.argmax(overlaps(found, ring)))]
    assert best[disc((96, 96), (48, 48), 7)].all() and dice(best, ring) > 0.6


@pytest.mark.parametrize("value", [0.0, BODY / 2, 0.5])
def test_where_all_is_alike_there_may_be_none(value):
    found = region_candidates(np.full((64, 64), value, np.float32))
    assert found.shape == (0, 64, 64)


def test_a_body_of_a_few_pixels_has_none():
    slice_ = np.zeros((64, 64), np.float32)
    slice_[10:13, 10:13] = np.linspace(0.2, 0.5, 9).reshape(3, 3)
    assert len(region_candidates(slice_)) == 0


@settings(max_examples=8)
@given(st.integers(0, 10_000), st.tuples(st.integers(8, 40), st.integers(8, 40)))
def test_their_sizes_lie_within_the_limits_and_they_hang_together(seed, shape):
    slice_ = ndimage.gaussian_filter(np.random.default_rng(seed).uniform(size=shape), 1.5)
    slice_ = ((slice_ - slice_.min()) / np.ptp(slice_)).astype(np.float32)
    limits = CandidateSettings(smallest=0.02, largest=0.3)
    for region in region_candidates(slice_, limits):
        assert ndimage.label(region)[1] == 1
        assert np.array_equal(ndimage.binary_fill_holes(region), region)
        assert region.sum() >= 0.02 * region.size


def test_brightness_and_contrast_of_the_scan_do_not_matter():
    """As long as air stays air: shades are quantiles of the body's own."""
    image, _ = head(56, 56)
    slice_ = image.array[0, 0].astype(np.float32) / 255
    body = slice_ > BODY
    other = np.where(body, 0.3 + 0.5 * slice_, slice_).astype(np.float32)
    first, second = region_candidates(slice_), region_candidates(other)
    alike = [max(overlaps(second, region)) for region in first]
    assert np.median(alike) > 0.9
