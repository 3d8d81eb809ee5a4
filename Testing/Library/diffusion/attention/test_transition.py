import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from DiffusionSegLib.diffusion.attention.transition import balance, sharpen
from DiffusionSegLib.errors import Cancelled
from DiffusionSegLib.progress import Progress
from Testing.Library.methods.adzus.made_maps import made_map


def random_maps(places: int, seed: int, spread: float = 2.0) -> torch.Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.softmax(spread * torch.randn(places, places, generator=rng), 1)


def plain_sinkhorn(maps: torch.Tensor, rounds: int) -> torch.Tensor:
    """As M2N2 is released: every round divides the matrix by its columns, then by its rows."""
    matrix = maps.double()
    for _ in range(rounds):
        matrix = matrix / matrix.sum(0, keepdim=True)
        matrix = matrix / matrix.sum(1, keepdim=True)
    return matrix


@settings(max_examples=30)
@given(st.integers(2, 40), st.floats(0.3, 3.0), st.integers(0, 99))
def test_sharpening_is_a_softmax_of_logarithms(places, temperature, seed):
    maps = random_maps(places, seed)
    before = maps.clone()
    wanted = torch.softmax(maps.double().log() / temperature, 1)
    assert torch.allclose(sharpen(maps, temperature).double(), wanted, rtol=1e-4, atol=1e-7)
    assert torch.equal(maps, before)


def test_zeros_stay_next_to_nothing_and_rows_sum_to_one():
    maps = torch.tensor([[0.0, 0.25, 0.75], [1.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3]])
    found = sharpen(maps, 0.5)
    wanted = torch.tensor([[0.0, 0.1, 0.9], [1.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3]])
    assert torch.allclose(found, wanted, atol=1e-6)
    assert torch.equal(sharpen(maps, 1.0), maps)


@pytest.mark.parametrize("kind", ["random", "made"])
def test_scaling_vectors_give_what_200_rounds_over_the_matrix_give(kind):
    maps = random_maps(150, 0) if kind == "random" else made_map(12).weights
    wanted = plain_sinkhorn(maps, 200)
    found = balance(maps, rounds=200, tolerance=0.0)
    assert ((found.double() - wanted).abs() / wanted).max() < 1e-5


def test_a_few_rounds_are_those_of_the_plain_loop():
    """Far from the limit, so that a half round more or less would show."""
    maps = random_maps(60, 1, spread=4.0)
    for rounds in (1, 2, 5):
        wanted = plain_sinkhorn(maps, rounds)
        found = balance(maps, rounds=rounds, tolerance=0.0).double()
        assert ((found - wanted).abs() / wanted).max() < 1e-4
        assert not torch.allclose(found, plain_sinkhorn(maps, rounds + 1), rtol=1e-3)


@settings(max_examples=25)
@given(st.integers(1, 60), st.floats(0.1, 3.0), st.integers(0, 99))
def test_rows_and_columns_sum_to_one(places, spread, seed):
    maps = random_maps(places, seed, spread)
    before = maps.clone()
    found = balance(maps, tolerance=1e-4)
    assert (found.sum(1) - 1).abs().max() < 2e-4
    assert (found.sum(0) - 1).abs().max() < 1e-4
    assert found.min() >= 0
    assert torch.equal(maps, before)


def test_it_ends_as_soon_as_no_row_is_further_off_than_the_tolerance():
    maps = random_maps(60, 2, spread=4.0)
    told: list[float] = []
    loose = balance(maps, 200, 0.05, Progress(lambda report: told.append(report.fraction)))
    rounds = len(told) - 1
    assert 1 < rounds < 50
    assert told[-1] == 1.0
    assert told[:-1] == pytest.approx([turn / 200 for turn in range(rounds)])
    off = (loose.sum(1) - 1).abs().max()
    assert off < 0.05
    # One round earlier it was still further off: columns are exact, rows are not yet.
    earlier = plain_sinkhorn(maps, rounds - 2)
    earlier = earlier / earlier.sum(0, keepdim=True)
    assert (earlier.sum(1) - 1).abs().max() >= 0.05
    assert off > (balance(maps, 200, 1e-5).sum(1) - 1).abs().max()


def test_what_is_balanced_takes_one_round():
    even = torch.full((9, 9), 1 / 9)
    told: list[float] = []
    found = balance(even, progress=Progress(lambda report: told.append(report.fraction)))
    assert told == [0.0, 1.0]
    assert torch.allclose(found, even)


def test_it_can_be_cancelled_on_the_way():
    calls = iter(range(100))
    progress = Progress(cancelled=lambda: next(calls) == 3)
    with pytest.raises(Cancelled):
        balance(random_maps(30, 3, spread=5.0), 200, 0.0, progress)
    assert next(calls) == 4
