import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from DiffusionSegLib.methods.adzus.bilateral import JointBilateral
from Testing.Library.methods.adzus.made_planes import made_picture


def part_of(place, size, places):
    """First and behind last pixel of a place; a place without a pixel takes the one it lies in."""
    low, high = (int(np.rint(n * size / places)) for n in (place, place + 1))
    low = min(low, size - 1)
    return low, max(high, low + 1)


def slow(guide, grid, values, sigma_space, sigma_range, reach):
    """Kopf et al. 2007, pixel by pixel and place by place."""
    rows, columns = guide.shape[:2]
    small = np.zeros((*grid, 3))
    for a, b in np.ndindex(*grid):
        (r0, r1), (c0, c1) = part_of(a, rows, grid[0]), part_of(b, columns, grid[1])
        small[a, b] = guide[r0:r1, c0:c1].astype(np.float64).mean(axis=(0, 1))
    result = np.zeros((rows, columns))
    for row, column in np.ndindex(rows, columns):
        at = (row + 0.5) * grid[0] / rows - 0.5, (column + 0.5) * grid[1] / columns - 0.5
        above = below = 0.0
        for a in range(int(np.round(at[0])) - reach, int(np.round(at[0])) + reach + 1):
            for b in range(int(np.round(at[1])) - reach, int(np.round(at[1])) + reach + 1):
                near = (a - at[0]) ** 2 + (b - at[1]) ** 2
                if not (0 <= a < grid[0] and 0 <= b < grid[1]) or near > 9 * sigma_space**2:
                    continue
                like = ((guide[row, column].astype(np.float64) - small[a, b]) ** 2).sum()
                weight = np.exp(-near / (2 * sigma_space**2) - like / (2 * sigma_range**2)) + 1e-8
                above += weight * values[a, b]
                below += weight
        result[row, column] = above / below
    return result


SIDE = st.integers(3, 9)


@settings(max_examples=15)
@given(
    SIDE, SIDE, st.integers(1, 4), st.integers(1, 4), st.integers(0, 99),
    st.floats(0.7, 2.0), st.floats(0.05, 0.5), st.integers(1, 3),
)  # fmt: skip
def test_it_is_the_double_loop(rows, columns, down, right, seed, space, rgb, reach):
    rng = np.random.default_rng(seed)
    size = rows * down + seed % 2, columns * right
    guide = rng.random((*size, 3)).astype(np.float32)
    values = rng.random((rows, columns)).astype(np.float32)
    found = JointBilateral(guide, (rows, columns), space, rgb, reach)(values.ravel())
    assert found.shape == size
    assert found.dtype == np.float32
    wanted = slow(guide, (rows, columns), values, space, rgb, reach)
    assert np.allclose(found, wanted, atol=2e-4)


@pytest.mark.parametrize(("size", "grid"), [((5, 20), (8, 5)), ((3, 3), (8, 8)), ((1, 9), (4, 3))])
def test_a_guide_with_fewer_pixels_than_places(size, grid):
    rng = np.random.default_rng(0)
    guide = rng.random((*size, 3)).astype(np.float32)
    values = rng.random(grid).astype(np.float32)
    found = JointBilateral(guide, grid)(values.ravel())
    assert np.allclose(found, slow(guide, grid, values, 1.0, 0.1, 2), atol=2e-4)


@settings(max_examples=15)
@given(st.integers(2, 12), st.integers(2, 12), st.integers(8, 40), st.integers(8, 40))
def test_weights_of_a_pixel_sum_to_one(rows, columns, height, width):
    guide = np.random.default_rng(rows).random((height, width, 3)).astype(np.float32)
    enlarge = JointBilateral(guide, (rows, columns))
    assert np.allclose(enlarge(np.ones(rows * columns, np.float32)), 1.0, atol=1e-5)
    values = np.random.default_rng(columns).random(rows * columns).astype(np.float32)
    found = enlarge(values)
    assert found.min() >= values.min() - 1e-5
    assert found.max() <= values.max() + 1e-5


def test_borders_run_along_the_edges_of_the_guide():
    """A coarse half-half map of a picture whose edge lies off the grid's."""
    guide = np.full((64, 64, 3), 0.2, dtype=np.float32)
    guide[:, 35:] = 0.8
    values = np.zeros((8, 8), dtype=np.float32)
    values[:, 4:] = 1.0
    found = JointBilateral(guide, (8, 8))(values.ravel())
    assert found[:, :34].max() < 0.35
    assert found[:, 36:].min() > 0.65


def test_a_smaller_reach_changes_little():
    """2 places instead of M2N2's 3: under a hundredth."""
    rng = np.random.default_rng(0)
    picture = made_picture(64)
    values = rng.random(256).astype(np.float32)
    near, far = (JointBilateral(picture, (16, 16), reach=reach)(values) for reach in (2, 3))
    assert 0 < np.abs(near - far).mean() < 0.01
