import torch
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.diffusion.seeded_noise import SeededNoise, mixed_seed

numbers = st.integers(0, 2**31)


@given(st.lists(numbers, min_size=1, max_size=4), st.integers(0, 3))
def test_a_row_depends_on_its_own_seed_only(seeds, which):
    which %= len(seeds)
    together, alone = SeededNoise(seeds, (2, 3)), SeededNoise([seeds[which]], (2, 3))
    for _ in range(3):
        assert torch.equal(together()[which], alone()[0])


def test_draws_are_fresh_and_standard_normal():
    noise = SeededNoise([5], (4, 50, 50))
    first, second = noise(), noise()
    assert first.shape == (1, 4, 50, 50) and first.dtype == torch.float32
    assert abs(float((first * second).mean())) < 0.05
    assert abs(float(first.mean())) < 0.05 and abs(float(first.std()) - 1) < 0.05


def test_the_common_generator_is_left_alone():
    torch.manual_seed(3)
    wanted = torch.randn(4)
    torch.manual_seed(3)
    SeededNoise([1, 2], (5,))()
    assert torch.equal(torch.randn(4), wanted)


@given(st.lists(numbers, min_size=1, max_size=4))
def test_mixed_seeds_are_seeds(parts):
    assert 0 <= mixed_seed(*parts) < 2**63
    assert mixed_seed(*parts) == mixed_seed(*parts)


def test_neighbours_get_seeds_of_their_own():
    """User's seed, repeat and slice: no two combinations share one, whichever way they sum up."""
    seeds = {mixed_seed(a, b, c) for a in range(20) for b in range(20) for c in range(50)}
    assert len(seeds) == 20 * 20 * 50
    assert mixed_seed(1, 2) != mixed_seed(2, 1) and mixed_seed(0) != mixed_seed(0, 0)
    draws = [SeededNoise([mixed_seed(0, 0, c)], (1000,))()[0] for c in range(5)]
    rows = torch.corrcoef(torch.stack(draws)) - torch.eye(5)
    assert rows.abs().max() < 0.15
