import numpy as np
import pytest
import torch

from DiffusionSegLib.methods.diffugts.coarse_mask import on_canvas
from DiffusionSegLib.methods.diffugts.region_features import SliceFacts, region_features
from DiffusionSegLib.training.diffugts.cuts import REAL
from DiffusionSegLib.training.diffugts.regions import dice, find_regions, map_features
from DiffusionSegLib.training.diffugts.simulated_marks import mark_cut, simulated_mark


def real(prepared, number=0):
    return [n for n, cut in enumerate(prepared.cuts) if cut.role == REAL][number]


def test_features_are_those_of_inference(prepared):
    """With the map's, which are computed apart, as region_features gives them at once."""
    n = real(prepared)
    cut, found = prepared.cuts[n], prepared.regions[n]
    rng = torch.Generator().manual_seed(3)
    logits = torch.randn(cut.image.shape, generator=rng)
    small = on_canvas(cut.image.numpy().astype(np.float32) / 255, 48)
    facts = SliceFacts.of(small, on_canvas(logits.numpy(), 48))
    wanted = region_features(facts, found.zones()[0])
    np.testing.assert_allclose(map_features(found, logits), wanted, atol=1e-4)
    assert np.array_equal(found.features[:, -3:], np.zeros((len(wanted), 3), np.float32))


def test_the_tumor_is_among_the_regions(prepared):
    for number in range(4):
        assert prepared.regions[real(prepared, number)].dice.max() > 0.6


def test_dice_by_hand():
    regions = np.zeros((2, 2, 3), bool)
    regions[0, 0], regions[1, 1, 2] = True, True
    mask = np.array([[True, True, False], [False, False, False]])
    assert dice(regions, mask).tolist() == pytest.approx([2 * 2 / 5, 0.0])


def test_an_empty_picture_has_no_regions(prepared):
    from dataclasses import replace

    cut = prepared.cuts[real(prepared)]
    empty = replace(cut, image=torch.zeros_like(cut.image))
    found = find_regions(empty, 48)
    assert len(found.dice) == len(found.features) == 0
    assert found.zones()[0].shape == (0, *found.shape)
    assert len(map_features(found, torch.zeros(cut.image.shape))) == 0
    assert mark_cut(empty, found, torch.Generator().manual_seed(0)) is None


@pytest.mark.parametrize("seed", range(12))
def test_marks_lie_on_the_lesion(seed):
    mask = np.zeros((40, 50), bool)
    mask[10:25, 20:44] = True
    mark = simulated_mark(mask, torch.Generator().manual_seed(seed))
    assert mark.any() and not (mark & ~mask).any()
    assert mark.sum() < 0.5 * mask.sum()


def test_a_lesion_of_one_pixel_can_be_marked():
    mask = np.zeros((9, 9), bool)
    mask[4, 4] = True
    assert np.array_equal(simulated_mark(mask, torch.Generator().manual_seed(0)), mask)


def test_regions_that_are_meant_hold_the_mark(prepared):
    n = real(prepared)
    found = mark_cut(prepared.cuts[n], prepared.regions[n], torch.Generator().manual_seed(5))
    assert 0 < len(found.meant) < len(prepared.regions[n].dice)
    assert found.told.shape == (len(found.meant), 5)
    assert (found.told[:, 0] >= 0.5).all()  # share of the mark that lies inside
