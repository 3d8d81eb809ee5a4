import pytest
import torch

from DiffusionSegLib.backbones.latent_diffusion.interface import TextEmbedding
from DiffusionSegLib.diffusion.attention.capture import AttentionMap
from DiffusionSegLib.methods.adzus.word_map import (
    content_tokens,
    joined_evidence,
    walked,
    word_map,
)


def cross_map(side, share, seed=0):
    """Four tokens; the third gets ``share`` (places,), the others what is left at random."""
    rng = torch.Generator().manual_seed(seed)
    rest = torch.rand(side * side, 4, generator=rng)
    rest[:, 2] = 0
    weights = rest / rest.sum(1, keepdim=True) * (1 - share[:, None])
    weights[:, 2] = share
    return AttentionMap("cross", (side, side), weights, ("layer",))


def test_tokens_are_those_of_words_with_a_meaning():
    text = TextEmbedding(
        "the lung of", torch.zeros(1, 6, 4), ("", "the", "lu", "##ng", "of", ""),
        (None, (0, 3), (4, 6), (6, 8), (9, 11), None),
    )  # fmt: skip
    assert content_tokens(text) == (2, 3)


def test_attention_that_is_the_same_everywhere_is_one_everywhere():
    maps = [cross_map(8, torch.full((64,), 0.3)), cross_map(4, torch.full((16,), 0.05))]
    assert (word_map(maps, [2], (8, 8)) - 1).abs().max() < 1e-5


def test_a_resolution_does_not_count_by_its_own_bias():
    """Ten times the attention at one resolution changes nothing."""
    share = torch.linspace(0.01, 0.09, 64)
    coarse = cross_map(4, torch.full((16,), 0.1))
    faint = word_map([cross_map(8, share), coarse], [2], (8, 8))
    strong = word_map([cross_map(8, 10 * share), coarse], [2], (8, 8))
    assert torch.allclose(faint, strong, atol=1e-5)
    assert faint.argmax() == 63


def test_weights_of_resolutions_by_hand():
    """0.3 for the coarsest and 0.5 for the next, divided by 0.8; both maps are 2 in the middle."""
    fine = torch.full((16,), 0.05)
    fine[5] = 0.05 * 17  # mean 0.1: 8.5 times as much as usual there, half elsewhere
    found = word_map([cross_map(4, fine), cross_map(1, torch.tensor([0.2]))], [2], (4, 4))
    assert found[5].item() == pytest.approx((0.3 * 1 + 0.5 * 8.5) / 0.8, rel=1e-5)
    assert found[0].item() == pytest.approx((0.3 * 1 + 0.5 * 0.5) / 0.8, rel=1e-5)


def test_the_walk_is_repeated_averaging():
    walk = torch.softmax(torch.randn(6, 6, generator=torch.Generator().manual_seed(1)), 1)
    values = torch.arange(6.0)
    assert torch.allclose(walked(values, walk, 3), torch.linalg.matrix_power(walk, 3) @ values)
    assert torch.equal(walked(values, walk, 0), values)


def evidence(looked_at, changed):
    return joined_evidence(looked_at, changed.reshape(4, 4), torch.eye(16), (4, 4))


def test_attention_counts_as_far_as_it_agrees_with_what_words_change():
    changed, other = torch.arange(16.0), torch.tensor([1.0, -1, -1, 1]).repeat(4)
    standard = (changed - 7.5) / changed.std(correction=0)
    assert torch.allclose(evidence(3 * changed + 1, changed), 2 * standard, atol=1e-5)
    assert torch.allclose(evidence(other, changed), standard, atol=1e-5)  # uncorrelated
    assert torch.allclose(evidence(-changed, changed), standard, atol=1e-5)  # contradicts
    assert torch.allclose(evidence(torch.ones(16), changed), standard, atol=1e-5)  # says nothing


def test_words_that_change_nothing_and_are_looked_at_nowhere_leave_no_evidence():
    assert evidence(torch.ones(16), torch.zeros(16)).abs().max() == 0
