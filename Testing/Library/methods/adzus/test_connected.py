import heapq

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from DiffusionSegLib.methods.adzus.connected import connected_to, filled, without_holes

SIZES = st.tuples(st.integers(1, 9), st.integers(1, 9))


def slow_minimax(distance, pixels):
    """Dijkstra with the largest value on the path as its cost."""
    best = np.full(distance.shape, np.inf)
    heap = []
    for row, column in pixels:
        best[row, column] = distance[row, column]
        heapq.heappush(heap, (float(distance[row, column]), int(row), int(column)))
    while heap:
        cost, row, column = heapq.heappop(heap)
        if cost > best[row, column]:
            continue
        for other in ((row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)):
            if 0 <= other[0] < distance.shape[0] and 0 <= other[1] < distance.shape[1]:
                through = max(cost, float(distance[other]))
                if through < best[other]:
                    best[other] = through
                    heapq.heappush(heap, (through, *other))
    return best.astype(np.float32)


def made(size, seed, few):
    """Random values, of few kinds so that there are plateaus, or all different."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 5, size) if few else rng.normal(size=size)
    return values.astype(np.float32), rng


@settings(max_examples=80)
@given(SIZES, st.integers(0, 999), st.booleans(), st.integers(1, 3))
def test_it_is_the_lowest_level_at_which_a_path_leads_to_the_hint(size, seed, few, count):
    distance, rng = made(size, seed, few)
    pixels = np.argwhere(np.ones(size))[rng.integers(0, size[0] * size[1], count)]
    before = distance.copy()
    assert np.array_equal(connected_to(distance, pixels), slow_minimax(distance, pixels))
    assert np.array_equal(distance, before)


def test_paths_run_over_edges_and_not_over_corners():
    distance = np.array([[0, 9], [9, 1]], dtype=np.float32)
    assert connected_to(distance, np.array([[0, 0]])).tolist() == [[0, 9], [9, 9]]


@settings(max_examples=80)
@given(SIZES, st.integers(0, 999), st.booleans())
def test_holes_of_every_region_are_filled(size, seed, few):
    values, _ = made(size, seed, few)
    found = without_holes(values)
    for limit in np.unique(values):
        wanted = ndimage.binary_fill_holes(values <= limit, structure=_CROSS)
        assert np.array_equal(found <= limit, wanted)


_CROSS = ndimage.generate_binary_structure(2, 1)


def test_what_touches_the_frame_is_no_hole():
    ring = np.ones((7, 7), dtype=np.float32)
    ring[2:5, 2:5] = 0
    ring[3, 3] = 5
    assert (without_holes(ring)[2:5, 2:5] == 0).all()
    ring[3, 4:] = 5  # a way out
    assert without_holes(ring)[3, 3] == 5


@pytest.mark.parametrize("seed", range(3))
def test_regions_hold_the_hint_hang_together_and_have_no_holes(seed):
    distance, rng = made((30, 40), seed, False)
    distance = ndimage.gaussian_filter(distance, 2).astype(np.float32)
    pixel = rng.integers(0, 30, 2)
    nested = without_holes(connected_to(distance, pixel[None]))
    for limit in np.quantile(nested, (0, 0.1, 0.4, 0.8, 1)):
        region = nested <= limit
        if region.any():
            assert region[tuple(pixel)]
            assert ndimage.label(region)[1] == 1
            assert np.array_equal(ndimage.binary_fill_holes(region), region)


@settings(max_examples=80)
@given(SIZES, st.integers(0, 999), st.floats(0.0, 1.0))
def test_one_region_is_filled(size, seed, share):
    region = np.random.default_rng(seed).random(size) < share
    before = region.copy()
    assert np.array_equal(filled(region), ndimage.binary_fill_holes(region))
    assert np.array_equal(region, before)
