import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import nn, zeros

from DiffusionSegLib.diffusion.attention.grids import grid_of_tokens
from DiffusionSegLib.errors import ModelError


@given(st.integers(8, 80), st.integers(8, 80), st.integers(0, 3))
def test_it_is_what_strided_convolutions_leave(rows, columns, halvings):
    image = zeros(1, 1, rows, columns)
    for _ in range(halvings):
        image = nn.Conv2d(1, 1, 3, stride=2, padding=1)(image)
    found = grid_of_tokens(image.shape[2] * image.shape[3], (rows, columns))
    assert found == tuple(image.shape[2:])


def test_a_count_that_is_no_grid_is_refused():
    with pytest.raises(ModelError, match="100 places"):
        grid_of_tokens(100, (64, 64))
