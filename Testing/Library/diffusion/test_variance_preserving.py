import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.diffusion.variance_preserving import (
    VariancePreservingConfig,
    VariancePreservingProcess,
)
from Testing.Library.reference.awake import normal

steps = st.integers(1, 12)
masks = st.lists(st.floats(-1, 1), min_size=1, max_size=6).map(
    lambda values: torch.tensor(values, dtype=torch.float64)[None]
)
seeds = st.integers(0, 2**31)


def process_of(count: int) -> VariancePreservingProcess:
    return VariancePreservingProcess(VariancePreservingConfig(count))


def draw(shape: torch.Size, seed: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# Measured with the released code, five digits.
TABLES = {
    2: {
        "beta": (0.92132, 0.99945),
        "alpha_bar": (0.078676, 4.319e-5),
        "clean_weight": (1, 0.28035),
        "noisy_weight": (0, 0.02159),
        "variance": (0, 0.92086),
    },
    4: {
        "beta": (0.47826, 0.84921, 0.95642, 0.98740),
        "alpha_bar": (0.52174, 0.078676, 0.0034289, 4.319e-5),
        "clean_weight": (1, 0.66578, 0.26919, 0.05782),
        "noisy_weight": (0, 0.20158, 0.19300, 0.11185),
        "variance": (0, 0.44082, 0.88420, 0.98406),
    },
}


@pytest.mark.parametrize("count", TABLES)
@pytest.mark.parametrize("table", TABLES[2])
def test_the_schedule_is_the_released_one(count, table):
    found = getattr(process_of(count), table)
    assert found.dtype == torch.float64
    assert found.tolist() == pytest.approx(TABLES[count][table], abs=6e-6, rel=2e-4)


@given(steps)
def test_forward_tables_continue_from_an_almost_clean_index(count):
    process = process_of(count)
    assert len(process.signal) == len(process.noise) == count + 1
    assert process.noise[0].item() == pytest.approx(1e-4, rel=1e-6)
    total = process.signal**2 + process.noise**2
    assert total.tolist() == pytest.approx([1] * (count + 1), abs=1e-12)
    assert torch.all(process.signal.diff() < 0)
    # Whatever the number of steps, the last index is the same pure noise.
    assert process.signal[-1].item() ** 2 == pytest.approx(4.319e-5, rel=1e-3)


@given(steps, masks, seeds, st.data())
def test_forward_step_composes_to_the_direct_jump(count, clean, seed, data):
    process = process_of(count)
    t = data.draw(st.integers(0, count - 1))
    noise, next_noise = draw(clean.shape, seed), draw(clean.shape, seed + 1)
    here, further = process.diffuse_pair(clean, t, noise, next_noise)
    assert torch.equal(here, process.diffuse(clean, t, noise))
    # Without noise, both ways leave the same share of the clean mask; variances add up.
    zero = torch.zeros_like(clean)
    _, signal_only = process.diffuse_pair(clean, t, zero, zero)
    assert torch.allclose(signal_only, process.diffuse(clean, t + 1, zero), atol=1e-12)
    variance = (process.step_signal[t + 1] * process.noise[t]) ** 2 + process.step_noise[t + 1] ** 2
    assert variance.item() == pytest.approx(process.noise[t + 1].item() ** 2, abs=1e-12)
    assert further.shape == clean.shape


@pytest.mark.parametrize("count", [2, 4])
def test_forward_samples_have_the_stated_moments(count):
    process = process_of(count)
    clean = torch.full((200_000,), 0.8)
    for t in range(count):
        noise, fresh = normal(200_000, seed=t), normal(200_000, seed=100 + t)
        _, further = process.diffuse_pair(clean, t, noise, fresh)
        assert further.mean().item() == pytest.approx(0.8 * float(process.signal[t + 1]), abs=0.01)
        assert further.std().item() == pytest.approx(float(process.noise[t + 1]), abs=0.01)
        # The two masks of a pair are correlated as one step says, not independent.
        here = process.diffuse(clean, t, noise)
        covariance = ((here - here.mean()) * (further - further.mean())).mean().item()
        stated = float(process.step_signal[t + 1] * process.noise[t] ** 2)
        assert covariance == pytest.approx(stated, abs=0.01)


@given(steps, st.floats(-1, 1), st.floats(-3, 3), st.data())
def test_posterior_is_what_bayes_says(count, clean, noisy, data):
    t = data.draw(st.integers(0, count - 1))
    process = process_of(count)
    # Independent: ᾱ from the closed form, then the product of two Gaussians in x_t.
    times = [i / count * 0.999 + 1e-3 for i in range(count + 1)]
    log_bar = [-0.5 * s * s * 19.9 - s * 0.1 for s in times]
    alpha = math.exp(log_bar[t + 1] - log_bar[t])
    bar_before = math.exp(log_bar[t] - log_bar[0])
    if t == 0:
        mean, variance = clean, 0.0
    else:
        precision = 1 / (1 - bar_before) + alpha / (1 - alpha)
        pull = math.sqrt(bar_before) * clean / (1 - bar_before)
        pull += math.sqrt(alpha) * noisy / (1 - alpha)
        mean, variance = pull / precision, 1 / precision
    x0, x = (torch.full((1, 1), value, dtype=torch.float64) for value in (clean, noisy))
    zero, one = torch.zeros_like(x0), torch.ones_like(x0)
    found = process.posterior(x0, x, t, zero).sample
    assert found.item() == pytest.approx(mean, abs=1e-9)
    deviation = (process.posterior(x0, x, t, one).sample - found).item()
    assert deviation**2 == pytest.approx(variance, abs=1e-9)


@given(steps, masks, seeds)
def test_a_perfect_prediction_ends_at_the_clean_mask(count, clean, seed):
    process = process_of(count)
    clean = clean.float()
    x = normal(*clean.shape, seed=seed)
    for t in reversed(range(count)):
        result = process.posterior(clean, x, t, normal(*clean.shape, seed=seed + t + 1))
        x = result.sample
        assert torch.equal(result.clean, clean)
    assert torch.equal(x, clean)


def test_the_last_step_adds_no_noise_and_needs_none():
    process = process_of(3)
    clean, noisy = normal(4, 1, 5, 5), normal(4, 1, 5, 5, seed=1)
    with_noise = process.posterior(clean, noisy, 0, normal(4, 1, 5, 5, seed=2)).sample
    assert torch.equal(with_noise, process.posterior(clean, noisy, 0, None).sample)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=5), seeds)
def test_times_per_sample_are_the_single_times(times, seed):
    process = process_of(4)
    shape = (len(times), 2, 3, 3)
    clean, noise, fresh = (normal(*shape, seed=seed + n) for n in range(3))
    index = torch.tensor(times)
    pair = process.diffuse_pair(clean, index, noise, fresh)
    back = process.posterior(clean, noise, index, fresh).sample
    for row, t in enumerate(times):
        one = slice(row, row + 1)
        alone = process.diffuse_pair(clean[one], t, noise[one], fresh[one])
        assert torch.equal(pair[0][one], alone[0])
        assert torch.equal(pair[1][one], alone[1])
        assert torch.equal(
            back[one], process.posterior(clean[one], noise[one], t, fresh[one]).sample
        )


@pytest.mark.parametrize(
    "wrong", [{"steps": 0}, {"steps": 1001}, {"beta_min": 0.0}, {"beta_min": 5.0, "beta_max": 2.0}]
)
def test_impossible_schedules_are_refused(wrong):
    with pytest.raises(ValueError, match=r"must lie between|need 0"):
        VariancePreservingConfig(**wrong)
