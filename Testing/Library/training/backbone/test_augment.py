import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.training.backbone.augment import CropSampler, plain_crop
from Testing.Library.training.backbone.tiny import disk, stripes


def rng(seed):
    return torch.Generator().manual_seed(seed)


@given(seed=st.integers(0, 10_000), rows=st.integers(3, 300), columns=st.integers(3, 300))
def test_crops_of_any_picture_are_whole_numbers_in_range(seed, rows, columns):
    pixels = torch.randint(256, (1 + 2 * (seed % 2), rows, columns), generator=rng(seed))
    crop = CropSampler(32).draw(pixels.to(torch.uint8), rng(seed))
    assert crop.shape == (3, 32, 32)
    assert torch.isfinite(crop).all()
    assert float(crop.min()) >= -1 and float(crop.max()) <= 1


def test_the_generator_decides():
    pixels = stripes(90, 120, 5)
    crops = [CropSampler(64).draw(pixels, rng(seed)) for seed in (4, 4, 5)]
    assert torch.equal(crops[0], crops[1])
    assert not torch.equal(crops[0], crops[2])


def test_gray_pictures_mostly_stay_gray_and_some_get_a_color():
    pixels = disk(100, 30, 10)
    crops = [CropSampler(32).draw(pixels, rng(seed)) for seed in range(300)]
    # Noise is drawn for each channel and is no color: it is gone in the mean.
    colored = sum(float((crop[0] - crop[2]).mean().abs()) > 0.02 for crop in crops)
    assert 15 <= colored <= 50


def test_the_object_is_seen_at_many_sizes():
    """A disk of a third of the area, in crops from a quarter of the picture to all of it."""
    shares = []
    for seed in range(100):
        crop = CropSampler(32).draw(disk(256, 84, 10), rng(seed))[0]
        middle = (crop.max() + crop.min()) / 2
        shares.append(float((crop > middle).float().mean()))
    assert min(shares) < 0.25
    assert max(shares) > 0.6


@pytest.mark.parametrize("shape", [(60, 60), (60, 90), (90, 60)])
def test_a_plain_crop_is_a_square_of_the_short_side(shape):
    row = torch.arange(shape[0], dtype=torch.uint8)[:, None]
    pixels = (row + torch.arange(shape[1], dtype=torch.uint8)).expand(1, -1, -1)
    crop = plain_crop(pixels, 60, rng(0))
    values = ((crop[0] + 1) * 127.5).round()
    assert crop.shape == (3, 60, 60)
    assert torch.equal(values[1:] - values[:-1], torch.ones(59, 60))
    assert torch.equal(values[:, 1:] - values[:, :-1], torch.ones(60, 59))
