import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.diffusion.noise_process import (
    DiscreteProcess,
    RectifiedFlow,
    add_noise,
    levels,
)
from DiffusionSegLib.errors import ModelError
from Testing.Library.reference.awake import normal

SCHEDULE = {
    "num_train_timesteps": 1000,
    "beta_start": 0.0015,
    "beta_end": 0.0195,
    "beta_schedule": "scaled_linear_beta",  # as MAISI's configuration has it
}
PREDICTIONS = ("epsilon", "velocity", "sample")
positive_levels = st.floats(1e-6, 1.0)


def processes():
    return [*[DiscreteProcess(SCHEDULE, one) for one in PREDICTIONS], RectifiedFlow()]


def output_of(process, clean, noise, level):
    """What a network without fault says, from the definitions."""
    a, b = process.signal(level), process.noise(level)
    if isinstance(process, RectifiedFlow):
        return clean - noise
    return {"epsilon": noise, "sample": clean, "velocity": a * noise - b * clean}[
        process.prediction
    ]


@pytest.mark.parametrize("process", processes())
@given(level=positive_levels, seed=st.integers(0, 50))
def test_what_was_mixed_is_split_again(process, level, seed):
    clean, noise = normal(2, 3, seed=seed).double(), normal(2, 3, seed=seed + 100).double()
    noisy = add_noise(process, clean, level, noise)
    found = process.split(noisy, output_of(process, clean, noise, level), level)
    # Where hardly any of one is left, it cannot be told well from the other.
    assert torch.allclose(found.clean, clean, atol=1e-9 / max(process.signal(level), 1e-9))
    assert torch.allclose(found.noise, noise, atol=1e-9 / max(process.noise(level), 1e-9))


@pytest.mark.parametrize("process", processes())
@given(level=positive_levels, seed=st.integers(0, 50))
def test_a_split_mixes_to_what_was_noisy(process, level, seed):
    """Also for outputs that are wrong: both parts always fit the input."""
    noisy, output = normal(2, 3, seed=seed).double(), normal(2, 3, seed=seed + 100).double()
    found = process.split(noisy, output, level)
    again = add_noise(process, found.clean, level, found.noise)
    assert torch.allclose(again, noisy, atol=1e-9)


@pytest.mark.parametrize("process", processes())
def test_the_clean_end_is_clean_and_the_other_is_noise(process):
    assert (process.signal(0.0), process.noise(0.0)) == (1.0, 0.0)
    assert process.signal(1.0) < 0.1 and process.noise(1.0) > 0.99


@pytest.mark.parametrize("process", processes())
@given(first=positive_levels, second=positive_levels)
def test_more_level_is_more_noise(process, first, second):
    low, high = sorted((first, second))
    assert process.signal(low) >= process.signal(high)
    assert process.noise(low) <= process.noise(high)
    assert process.time(low) <= process.time(high)


@given(positive_levels)
def test_the_discrete_process_keeps_the_variance(level):
    process = DiscreteProcess(SCHEDULE, "epsilon")
    assert process.signal(level) ** 2 + process.noise(level) ** 2 == pytest.approx(1.0)


@pytest.mark.parametrize("kind", ["linear", "scaled_linear"])
def test_the_table_is_that_of_diffusers(kind):
    from diffusers import DDPMScheduler

    schedule = {**SCHEDULE, "beta_schedule": kind}
    wanted = DDPMScheduler(**schedule).alphas_cumprod.sqrt()
    process = DiscreteProcess(schedule, "epsilon")
    found = [process.signal((t + 1) / 1000) for t in range(1000)]
    assert process.timesteps == 1000
    assert np.allclose(found, wanted.numpy(), atol=1e-5)


@given(st.integers(1, 2000), st.data())
def test_every_timestep_has_its_level(count, data):
    process = DiscreteProcess({**SCHEDULE, "num_train_timesteps": count}, "epsilon")
    timestep = data.draw(st.integers(0, count - 1))
    assert process.timestep((timestep + 1) / count) == timestep
    assert process.time((timestep + 1) / count) == timestep


@given(positive_levels)
def test_a_level_is_told_to_the_network_as_the_timestep_above_it(level):
    process = DiscreteProcess(SCHEDULE, "epsilon")
    below = process.timestep(level)
    assert below / 1000 < level + 1e-9 and level <= (below + 1) / 1000 + 1e-9


def test_equal_steps_are_those_of_ddim():
    """Also where the levels miss a timestep by the last bit, as 0.6 · 11 / 20 does."""
    process = DiscreteProcess(SCHEDULE, "epsilon")
    found = [process.timestep(level) for level in levels(1.0, 50)[:-1]]
    assert found == [999 - 20 * n for n in range(50)]
    found = [process.timestep(level) for level in levels(0.6, 20)[:-1]]
    assert found == [599 - 30 * n for n in range(20)]


@pytest.mark.parametrize("level", [0.0, -0.1, 1.001, math.nan])
def test_levels_outside_have_no_timestep(level):
    with pytest.raises(ValueError, match="noise level"):
        DiscreteProcess(SCHEDULE, "epsilon").timestep(level)


@given(st.floats(0.01, 1.0), st.integers(1, 100))
def test_levels_go_down_in_equal_steps(start, steps):
    path = levels(start, steps)
    assert len(path) == steps + 1
    assert (path[0], path[-1]) == (start, 0.0)
    assert np.allclose(np.diff(path), -start / steps)


@pytest.mark.parametrize("process", processes())
def test_paths_are_even_where_nothing_else_is_said(process):
    assert process.levels(0.7, 9, (32, 32)) == levels(0.7, 9)


@given(
    st.floats(0.01, 1.0), st.integers(1, 40), st.lists(st.integers(1, 99), min_size=3, max_size=3)
)
def test_larger_latents_spend_more_steps_where_noise_is_high(start, steps, places):
    process = RectifiedFlow(reference=(32, 32, 32))
    path = process.levels(start, steps, places)
    assert len(path) == steps + 1 and path[-1] == 0.0
    assert path[0] == pytest.approx(start) and max(path) <= 1.0
    assert all(a > b for a, b in pairwise(path))
    even, larger = levels(start, steps), math.prod(places) >= 32**3
    gained = [a - b for a, b in zip(path, even, strict=True)]
    assert min(gained) > -1e-9 if larger else max(gained) < 1e-9


def test_rectified_flow_is_monai_s():
    from monai.networks.schedulers import RFlowScheduler

    scheduler = RFlowScheduler(num_train_timesteps=1000)
    clean, noise = normal(1, 4, 3, 3, 3), normal(1, 4, 3, 3, 3, seed=1)
    wanted = scheduler.add_noise(clean, noise, torch.tensor([300]))
    process = RectifiedFlow()
    assert torch.allclose(add_noise(process, clean, 0.3, noise), wanted, atol=1e-6)
    assert process.time(0.3) == pytest.approx(300)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"beta_schedule": "cosine"}, "cosine"),
        ({"beta_start": "low"}, "not usable"),
        ({"num_train_timesteps": None}, "not usable"),
    ],
)
def test_schedules_that_are_not_known_are_told(change, told):
    with pytest.raises(ModelError, match=told):
        DiscreteProcess({**SCHEDULE, **change}, "epsilon")


def test_a_schedule_without_its_end_is_told():
    with pytest.raises(ModelError, match="beta_end"):
        DiscreteProcess({k: v for k, v in SCHEDULE.items() if k != "beta_end"}, "epsilon")


def test_predictions_that_are_not_known_are_told():
    with pytest.raises(ModelError, match=r"'score'.*epsilon, velocity, sample"):
        DiscreteProcess(SCHEDULE, "score")
