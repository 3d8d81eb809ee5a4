import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.methods.adzus.neighbors import (
    diagonal_pairs,
    straight_differences,
    straight_pairs,
)

SIZES = st.tuples(st.integers(1, 7), st.integers(1, 7))


def places(size):
    return np.arange(size[0] * size[1]).reshape(size)


def slow(size, steps):
    """Every pair of pixels that differ by one of the steps, once."""
    at = places(size)
    found = set()
    for row, column in np.ndindex(*size):
        for down, right in steps:
            other = row + down, column + right
            if 0 <= other[0] < size[0] and 0 <= other[1] < size[1]:
                found.add(frozenset((int(at[row, column]), int(at[other]))))
    return found


@pytest.mark.parametrize(
    ("pairs", "steps"),
    [(straight_pairs, ((0, 1), (1, 0))), (diagonal_pairs, ((1, 1), (1, -1)))],
)
@given(size=SIZES)
def test_every_pair_comes_once(pairs, steps, size):
    first, second = pairs(places(size))
    found = [frozenset(pair) for pair in zip(first.tolist(), second.tolist(), strict=True)]
    assert len(set(found)) == len(found)
    assert set(found) == slow(size, steps)


@given(SIZES, st.integers(0, 99))
def test_differences_are_in_the_order_of_the_pairs(size, seed):
    features = np.random.default_rng(seed).random((*size, 3)).astype(np.float32)
    first, second = straight_pairs(places(size))
    flat = features.reshape(-1, 3).astype(np.float64)
    wanted = np.sqrt(((flat[first] - flat[second]) ** 2).sum(1))
    found = straight_differences(features)
    assert found.dtype == np.float32
    assert np.allclose(found, wanted, atol=1e-6)
