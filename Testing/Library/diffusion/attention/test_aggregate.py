import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from DiffusionSegLib.diffusion.attention.aggregate import aggregate_self_attention
from DiffusionSegLib.diffusion.attention.capture import AttentionMap
from Testing.Library.reference import diffseg_reference as reference
from Testing.Library.reference.awake import normal


def random_map(rows: int, columns: int, seed: int = 0, kind="self") -> AttentionMap:
    count = rows * columns
    weights = torch.softmax(2 * normal(count, count, seed=seed), 1)
    return AttentionMap(kind, (rows, columns), weights, ("layer",))


def test_it_agrees_with_the_loops():
    maps = [random_map(side, side, side) for side in (12, 6, 3)]
    found = aggregate_self_attention(maps, (12, 6, 3))
    plain = {side: one.weights.numpy() for side, one in zip((12, 6, 3), maps, strict=True)}
    wanted = reference.aggregate(plain, 12).reshape(144, 144)
    assert np.abs(found.numpy() - wanted).max() < 1e-6


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 12), st.integers(1, 12))
def test_any_grid_gives_rows_that_sum_to_one(rows, columns, tall, wide):
    maps = [random_map(rows, columns), random_map(-(-rows // 2), -(-columns // 2), 1)]
    found = aggregate_self_attention(maps, (2, 1), (tall, wide))
    assert found.shape == (tall * wide,) * 2
    assert (found.sum(1) - 1).abs().max() < 1e-5


def test_a_weight_of_zero_leaves_a_map_out():
    maps = [random_map(4, 6), random_map(2, 3, 1)]
    found = aggregate_self_attention(maps, (3, 0))
    assert torch.allclose(found, maps[0].weights, atol=1e-7)


@pytest.mark.parametrize("weights", [(1,), (0, 0), (2, -1)])
def test_weights_that_cannot_be_are_refused(weights):
    with pytest.raises(ValueError, match="weights"):
        aggregate_self_attention([random_map(2, 2), random_map(1, 1)], weights)


def test_only_self_attention_can_be_aggregated():
    for maps in ([], [random_map(2, 2, kind="cross")]):
        with pytest.raises(ValueError, match="self-attention only"):
            aggregate_self_attention(maps, (1,) * len(maps))
