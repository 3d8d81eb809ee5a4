import pytest
import torch

from DiffusionSegLib.diffusion.attention.capture import AttentionMap
from DiffusionSegLib.diffusion.attention.tokens import token_maps
from Testing.Library.reference.awake import normal


def made(rows: int, columns: int, seed: int, kind="cross") -> AttentionMap:
    weights = torch.softmax(normal(rows * columns, 5, seed=seed), 1)
    return AttentionMap(kind, (rows, columns), weights, ("layer",))


def test_maps_of_all_tokens_share_every_place_s_attention():
    maps = [made(6, 8, 0), made(3, 4, 1)]
    found = token_maps(maps, range(5), (2, 1))
    assert found.shape == (5, 6, 8)
    assert (found.sum(0) - 1).abs().max() < 1e-6


def test_a_token_s_map_lies_where_it_is_looked_at():
    one = made(4, 6, 0)
    one.weights[:] = 0.1
    one.weights[1 * 6 + 2, 3] = 0.6
    found = token_maps([one], [0, 3], [1.0])
    assert found[1].argmax() == 1 * 6 + 2
    assert torch.allclose(found[1, 1, 2], torch.tensor(0.6))
    assert torch.allclose(found[0], torch.tensor(0.1))
    larger = token_maps([one], [3], [1.0], (8, 12))
    assert larger.shape == (1, 8, 12) and divmod(int(larger[0].argmax()), 12)[0] in (2, 3)


def test_weights_are_shares():
    maps = [made(4, 4, 0), made(4, 4, 1)]
    found = token_maps(maps, [2], (3, 1))[0].reshape(-1)
    assert torch.allclose(found, 0.75 * maps[0].weights[:, 2] + 0.25 * maps[1].weights[:, 2])


@pytest.mark.parametrize("tokens", [[], [5], [-1]])
def test_tokens_that_are_not_there_are_refused(tokens):
    with pytest.raises(ValueError, match="from 0 to 4"):
        token_maps([made(2, 2, 0)], tokens, [1.0])


def test_only_cross_attention_has_tokens():
    with pytest.raises(ValueError, match="cross-attention only"):
        token_maps([made(2, 2, 0, kind="self")], [0], [1.0])
    with pytest.raises(ValueError, match="as many weights"):
        token_maps([made(2, 2, 0)], [0], [1.0, 2.0])
