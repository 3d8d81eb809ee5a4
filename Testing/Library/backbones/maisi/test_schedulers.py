"""One step of each process against MONAI's own scheduler."""

from itertools import pairwise

import pytest
import torch

from DiffusionSegLib.backbones.maisi.variants import find_variant
from DiffusionSegLib.diffusion.noise_process import RectifiedFlow, add_noise
from Testing.Library.reference.awake import normal

schedulers = pytest.importorskip("monai.networks.schedulers", reason="MONAI is of the hub extra")

CLEAN, NOISE, OUTPUT = (normal(1, 4, 8, 6, 4, seed=seed) for seed in (1, 2, 3))


def ddim():
    found = schedulers.DDIMScheduler(
        num_train_timesteps=1000, schedule="scaled_linear_beta", beta_start=0.0015,
        beta_end=0.0195, clip_sample=False,
    )  # fmt: skip
    found.set_timesteps(50)
    return found


def flow():
    return schedulers.RFlowScheduler(
        num_train_timesteps=1000, use_discrete_timesteps=False, use_timestep_transform=True
    )


def stepped(process, noisy, output, level, after):
    split = process.split(noisy, output, level)
    return process.signal(after) * split.clean + process.noise(after) * split.noise, split.clean


@pytest.mark.parametrize("level", [1.0, 0.5, 0.04, 0.02])
def test_a_step_of_ddpm_is_monais_ddim_step(level):
    process, theirs = find_variant("ddpm-ct").process(), ddim()
    timestep = int(process.time(level))
    noisy = add_noise(process, CLEAN, level, NOISE)
    expected_noisy = theirs.add_noise(CLEAN, NOISE, torch.tensor([timestep]))
    torch.testing.assert_close(noisy, expected_noisy, atol=1e-5, rtol=1e-4)
    ours, clean = stepped(process, noisy, OUTPUT, level, level - 0.02)
    expected, expected_clean = theirs.step(OUTPUT, timestep, noisy)
    torch.testing.assert_close(ours, expected, atol=2e-4, rtol=1e-3)
    torch.testing.assert_close(clean, expected_clean, atol=2e-3, rtol=1e-3)


@pytest.mark.parametrize(("time", "after"), [(1000, 750), (600, 500), (33, 0)])
def test_a_step_of_rectified_flow_is_monais(time, after):
    process, theirs = find_variant("rflow-ct").process(), flow()
    theirs.set_timesteps(30, input_img_size_numel=CLEAN[0, 0].numel())
    level = time / 1000
    noisy = add_noise(process, CLEAN, level, NOISE)
    torch.testing.assert_close(noisy, theirs.add_noise(CLEAN, NOISE, torch.tensor([time])))
    assert process.time(level) == pytest.approx(time)
    ours, clean = stepped(process, noisy, OUTPUT, level, after / 1000)
    expected, expected_clean = theirs.step(OUTPUT, time, noisy, after)
    torch.testing.assert_close(ours, expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(clean, expected_clean, atol=1e-5, rtol=1e-4)


def test_the_true_velocity_gives_the_clean_latent():
    process = find_variant("rflow-ct").process()
    split = process.split(add_noise(process, CLEAN, 0.7, NOISE), CLEAN - NOISE, 0.7)
    torch.testing.assert_close(split.clean, CLEAN, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(split.noise, NOISE, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("places", [(32, 32, 32), (64, 64, 64), (64, 64, 32), (8, 8, 8)])
def test_levels_are_monais_timesteps(places):
    """MONAI keeps them in half precision, which moves them by up to a quarter."""
    theirs = flow()
    theirs.set_timesteps(30, input_img_size_numel=places[0] * places[1] * places[2])
    ours = find_variant("rflow-ct").process().levels(1.0, 30, places)
    assert len(ours) == 31 and ours[-1] == 0
    expected = [*theirs.timesteps.double().tolist(), 0.0]
    assert [1000 * level for level in ours] == pytest.approx(expected, abs=0.5)


@pytest.mark.parametrize("places", [(), (16, 16, 16), (80, 80, 80)])
def test_levels_begin_where_they_are_told_to(places):
    for process in (RectifiedFlow(1000, (32, 32, 32)), find_variant("ddpm-ct").process()):
        found = process.levels(0.6, 7, places)
        assert found[0] == pytest.approx(0.6) and found[-1] == 0
        assert all(before > after for before, after in pairwise(found))
