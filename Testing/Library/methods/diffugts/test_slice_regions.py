import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from DiffusionSegLib.methods.diffugts.packed_masks import PackedMasks
from DiffusionSegLib.methods.diffugts.region_features import (
    FEATURES,
    MAP_FEATURES,
    SliceFacts,
    region_features,
)
from DiffusionSegLib.methods.diffugts.slice_regions import RegionShelf, slice_regions
from Testing.Library.methods.diffugts.toys import head


@settings(max_examples=4)
@given(st.integers(0, 1000), st.floats(0.1, 30.0))
def test_a_map_put_in_later_gives_the_numbers_that_it_gives_at_once(seed, scale):
    image, _ = head(36, 40, seed)
    slice_ = image.array[0, 0].astype(np.float32) / 255
    rng = np.random.default_rng(seed)
    logits = (scale * ndimage.gaussian_filter(rng.normal(size=slice_.shape), 2)).astype(np.float32)
    found = slice_regions(slice_)
    wanted = region_features(SliceFacts.of(slice_, logits), found.regions)
    assert len(found.regions) > 3
    np.testing.assert_allclose(found.with_map(logits), wanted, atol=1e-4 * max(1, scale), rtol=1e-4)
    facts = found.facts_with(logits)
    assert facts.map is logits and facts.slice_ is found.facts.slice_


def test_a_second_map_does_not_see_the_first():
    image, _ = head(48, 56)
    found = slice_regions(image.array[0, 0].astype(np.float32) / 255)
    before = found.features.copy()
    found.with_map(np.full((48, 56), 7, np.float32))
    again = found.with_map(np.zeros((48, 56), np.float32))
    assert np.array_equal(found.features, before)
    assert not again[:, -MAP_FEATURES:].any()


def test_a_slice_without_regions():
    found = slice_regions(np.zeros((32, 32), np.float32))
    assert found.regions.shape == (0, 32, 32)
    assert found.with_map(np.ones((32, 32), np.float32)).shape == (0, len(FEATURES))


def test_the_shelf_makes_a_slice_once_and_keeps_the_last_ones():
    shelf, blank = RegionShelf(), np.zeros((16, 16), np.float32)
    first = shelf.get(0, blank)
    assert shelf.get(0, blank) is first
    for number in range(1, 270):
        shelf.get(number, blank)
        assert shelf.get(0, blank) is first  # asked for again and again
    kept = shelf.get(269, blank)
    assert shelf.get(269, blank) is kept
    assert len(shelf._kept) == 256 and 1 not in shelf._kept


def test_what_is_kept_of_a_slice_is_small():
    image, _ = head(96, 96)
    found = slice_regions(image.array[0, 0].astype(np.float32) / 255)
    packed = (found._regions, found._cores, found._surroundings)
    kept = sum(one._bits.nbytes for one in packed)
    assert kept <= 3 * found.regions.nbytes / 8


@given(st.tuples(st.integers(0, 5), st.integers(1, 7), st.integers(1, 9)), st.integers(0, 99))
def test_masks_are_packed_without_loss(shape, seed):
    masks = np.random.default_rng(seed).random(shape) < 0.5
    packed = PackedMasks.of(masks)
    assert len(packed) == shape[0]
    assert packed.masks().dtype == bool
    assert np.array_equal(packed.masks(), masks)
