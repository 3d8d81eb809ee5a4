import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from DiffusionSegLib.diffusion.attention.averaging import attend_and_average, finite
from Testing.Library.reference.awake import normal


def explicit(query, key, scale):
    return torch.softmax(scale * query.double() @ key.double().transpose(1, 2), -1)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 4), st.integers(1, 40), st.integers(1, 40), st.integers(1, 9))
def test_output_and_map_are_those_of_plain_attention(heads, queries, keys, depth):
    query, key, value = (
        normal(heads, count, depth, seed=n) for n, count in enumerate((queries, keys, keys))
    )
    into = torch.ones(queries, keys)
    output = attend_and_average(query, key, value, 0.7, into, 0.5)
    wanted = explicit(query, key, 0.7)
    assert torch.allclose(output.double(), wanted @ value.double(), atol=1e-5)
    assert torch.allclose(into.double(), 1 + 0.5 * wanted.mean(0), atol=1e-6)


def test_many_blocks_are_one_result():
    query, key = normal(2, 1500, 4, seed=0), normal(2, 2000, 4, seed=1)
    into = torch.zeros(1500, 2000)
    assert attend_and_average(query, key, None, 0.5, into, 1.0) is None
    assert (into - explicit(query, key, 0.5).mean(0)).abs().max() < 1e-6


def test_half_precision_is_averaged_in_full():
    query, key, value = (normal(2, 50, 8, seed=n).to(torch.bfloat16) for n in range(3))
    into = torch.zeros(50, 50)
    output = attend_and_average(query, key, value, 0.3, into, 1.0)
    assert output.dtype == torch.bfloat16
    assert (into.sum(1) - 1).abs().max() < 1e-6
    fused = F.scaled_dot_product_attention(query.float(), key.float(), value.float(), scale=0.3)
    assert (output.float() - fused).abs().max() < 0.03


def test_large_scores_do_not_overflow():
    query = torch.full((1, 3, 2), 1e3)
    into = torch.zeros(3, 3)
    attend_and_average(query, query, query, 1.0, into, 1.0)
    assert torch.allclose(into, torch.full((3, 3), 1 / 3))


def test_finite_sees_one_bad_value():
    for bad in (torch.nan, torch.inf, -torch.inf):
        values = torch.ones(10, 10)
        assert finite(values)
        values[3, 4] = bad
        assert not finite(values)
