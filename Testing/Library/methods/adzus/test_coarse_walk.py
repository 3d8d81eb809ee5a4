import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from DiffusionSegLib.diffusion.attention.transition import balance
from DiffusionSegLib.methods.adzus.coarse_walk import coarse_walk


@settings(max_examples=30)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 6), st.integers(0, 99))
def test_steps_between_blocks_are_those_between_their_places(rows, columns, largest, seed):
    rng = torch.Generator().manual_seed(seed)
    walk = balance(torch.rand(rows * columns, rows * columns, generator=rng) + 0.1)
    found = coarse_walk(walk, (rows, columns), largest)
    assert max(found.grid) <= largest
    assert max(rows, columns) > largest * (found.side - 1)  # no larger blocks than are needed
    blocks = [
        (row // found.side) * found.grid[1] + column // found.side
        for row, column in np.ndindex(rows, columns)
    ]
    for one in range(found.grid[0] * found.grid[1]):
        assert found.sizes[one] == blocks.count(one) > 0
        for other in range(found.grid[0] * found.grid[1]):
            of_one = [n for n, block in enumerate(blocks) if block == one]
            of_other = [n for n, block in enumerate(blocks) if block == other]
            wanted = walk[of_one][:, of_other].sum()
            assert float(found.steps[one, other]) == pytest.approx(float(wanted), abs=1e-4)
    assert found.entering.tolist() == pytest.approx(found.steps.sum(0).tolist())


def test_a_grid_that_is_small_enough_stays_as_it_is():
    walk = torch.rand(12, 12)
    found = coarse_walk(walk, (3, 4), 4)
    assert found.steps is walk
    assert (found.grid, found.side) == ((3, 4), 1)
    assert found.sizes.tolist() == [1.0] * 12
