import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.methods.diffugts.masked_places import grown_mask, masked_places


@st.composite
def cases(draw):
    """A mask of one to three axes with its spacing, and how far it grows."""
    shape = draw(st.lists(st.integers(1, 9), min_size=1, max_size=3))
    spacing = [draw(st.sampled_from([0.5, 1.0, 1.7, 5.0])) for _ in shape]
    mask = np.zeros(shape, bool)
    for _ in range(draw(st.integers(0, 3))):
        mask[tuple(draw(st.integers(0, n - 1)) for n in shape)] = True
    return mask, draw(st.sampled_from([0.0, 0.4, 1.0, 3.0, 20.0])), spacing


@given(cases())
def test_masks_grow_by_millimeters(case):
    mask, by_mm, spacing = case
    wanted = mask.copy()
    seeds = np.argwhere(mask)
    for index in np.ndindex(mask.shape):
        away = (seeds - index) * np.array(spacing)
        wanted[index] |= bool((np.sqrt((away**2).sum(-1)) <= by_mm + 1e-6).any())
    before = mask.copy()
    found = grown_mask(mask, by_mm, spacing)
    assert np.array_equal(found, wanted)
    assert np.array_equal(mask, before) and found is not mask


def test_thick_slices_grow_within_themselves():
    mask = np.zeros((3, 9, 9), bool)
    mask[1, 4, 4] = True
    found = grown_mask(mask, 3.0, (5.0, 1.0, 1.0))
    assert found[1].sum() == 29 and not found[[0, 2]].any()


@given(st.integers(1, 3), st.sampled_from([1, 2, 4]), st.data())
def test_a_place_is_masked_when_any_of_its_voxels_is(dims, factor, data):
    places = [data.draw(st.integers(1, 4)) for _ in range(dims)]
    masks = torch.zeros(2, *[n * factor for n in places], dtype=torch.bool)
    wanted = torch.zeros(2, *places, dtype=torch.bool)
    for _ in range(data.draw(st.integers(0, 3))):
        index = [data.draw(st.integers(0, n - 1)) for n in masks.shape]
        masks[tuple(index)] = True
        wanted[(index[0], *[i // factor for i in index[1:]])] = True
    assert torch.equal(masked_places(masks, factor), wanted)


def test_a_line_one_voxel_thin_is_kept():
    """Which picking every fourth voxel would lose."""
    masks = torch.zeros(1, 16, 16, dtype=torch.bool)
    masks[0, 5] = True
    assert masked_places(masks, 4)[0].nonzero().tolist() == [[1, n] for n in range(4)]
    assert not masks[0, ::4, ::4].any()


def test_sides_that_are_no_multiples_are_refused():
    with pytest.raises(RuntimeError, match="unflatten"):
        masked_places(torch.zeros(1, 9, 8, dtype=torch.bool), 4)
