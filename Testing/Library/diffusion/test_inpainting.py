import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from DiffusionSegLib.diffusion.inpainting import (
    InpaintingConfig,
    Turn,
    inpaint,
    noise_again,
    reverse_step,
    turns,
)
from DiffusionSegLib.diffusion.noise_process import (
    DiscreteProcess,
    RectifiedFlow,
    Split,
    add_noise,
    levels,
)
from DiffusionSegLib.diffusion.seeded_noise import SeededNoise
from DiffusionSegLib.errors import Cancelled
from DiffusionSegLib.progress import Progress
from Testing.Library.backbones.compact.tiny import TOKENS, WIDTH, tiny_config, tiny_networks
from Testing.Library.diffusion.slow_inpainting import slow_ddpm, slow_flow, table
from Testing.Library.reference.awake import awake, normal

SCHEDULE = dict(tiny_config().schedule)
PROCESSES = [
    DiscreteProcess(SCHEDULE, "epsilon"),
    DiscreteProcess(SCHEDULE, "velocity"),
    DiscreteProcess(SCHEDULE, "sample"),
    RectifiedFlow(),
]
every_process = pytest.mark.parametrize("process", PROCESSES)


def output_for(process, noisy, clean, level):
    """What a network says that takes ``clean`` for what lies below the noise."""
    a, b = process.signal(level), process.noise(level)
    noise = (noisy - a * clean) / b
    if isinstance(process, RectifiedFlow):
        return clean - noise
    return {"epsilon": noise, "sample": clean + 0 * noise, "velocity": a * noise - b * clean}[
        process.prediction
    ]


def square_mask(*places):
    mask = torch.zeros(1, 1, *places)
    mask[(..., *[slice(n // 4, n // 2 + 1) for n in places])] = 1
    return mask


def recorded(seeds, shape):
    """Noise, and a list of all that was drawn."""
    noise, drawn = SeededNoise(seeds, shape), []

    def draw():
        drawn.append(noise())
        return drawn[-1]

    return draw, drawn


@pytest.fixture(scope="module")
def plane_velocity():
    """A real network of two dimensions."""
    denoiser = tiny_networks()[1]
    text = normal(1, TOKENS, WIDTH, seed=4)

    @torch.no_grad()
    def velocity(noisy, time):
        rows = len(noisy)
        return denoiser(noisy, torch.full((rows,), float(time)), text.expand(rows, -1, -1))

    return velocity


@pytest.fixture(scope="module")
def volume_velocity():
    """A real network of three dimensions, as MAISI's are built."""
    from monai.networks.nets import DiffusionModelUNet

    network = DiffusionModelUNet(
        spatial_dims=3, in_channels=4, out_channels=4, channels=(8, 16), norm_num_groups=4,
        attention_levels=(False, True), num_res_blocks=1, num_head_channels=8,
    )  # fmt: skip
    awake(network)

    @torch.no_grad()
    def velocity(noisy, time):
        return network(noisy, torch.full((len(noisy),), float(time)))

    return velocity


@pytest.mark.parametrize(("jumps", "eta"), [(1, 0.0), (1, 1.0), (3, 0.0), (2, 0.5)])
def test_in_a_plane_it_is_repaint(plane_velocity, jumps, eta):
    process = DiscreteProcess(SCHEDULE, "velocity")
    known, mask = normal(1, 4, 8, 12, seed=1), square_mask(8, 12)
    noise, drawn = recorded([3, 4], known.shape[1:])
    made = inpaint(
        known, mask, process, lambda z, s, _: plane_velocity(z, process.time(s)), noise,
        InpaintingConfig(0.8, 4, jumps, eta),
    )  # fmt: skip
    wanted = slow_ddpm(
        known.expand(2, -1, -1, -1), mask, plane_velocity, table(SCHEDULE),
        [799, 599, 399, 199], iter(drawn), jumps, eta,
    )  # fmt: skip
    assert made.shape == (2, 4, 8, 12) and made.dtype == torch.float32
    assert torch.allclose(made, wanted.float(), atol=1e-4)


def test_in_a_volume_it_is_repaint_and_along_straight_paths_too(volume_velocity):
    known, mask = normal(1, 4, 4, 8, 6, seed=1), square_mask(4, 8, 6)
    process, config = DiscreteProcess(SCHEDULE, "velocity"), InpaintingConfig(0.6, 3)
    noise, drawn = recorded([3], known.shape[1:])
    made = inpaint(
        known, mask, process, lambda z, s, _: volume_velocity(z, process.time(s)), noise, config
    )
    wanted = slow_ddpm(known, mask, volume_velocity, table(SCHEDULE), [599, 399, 199], iter(drawn))
    assert torch.allclose(made, wanted.float(), atol=1e-4)

    flow = RectifiedFlow()
    noise, drawn = recorded([3], known.shape[1:])
    made = inpaint(
        known, mask, flow, lambda z, s, _: volume_velocity(z, flow.time(s)), noise, config
    )
    wanted = slow_flow(
        known, mask, lambda z, s: volume_velocity(z, 1000 * s), [0.6, 0.4, 0.2, 0.0], iter(drawn)
    )
    assert torch.allclose(made, wanted.float(), atol=1e-4)


@every_process
@pytest.mark.parametrize(("jumps", "eta"), [(1, 0.0), (2, 1.0)])
def test_inside_and_outside_hold_the_noise_of_the_level_that_the_network_is_told(
    process, jumps, eta
):
    """With a network that knows the truth, what remains besides it is noise of that level at every
    call: original parts taken one step late, or starts at another level than told, are seen."""
    known, mask = torch.full((1, 30, 60, 60), 3.0), square_mask(60, 60)
    called = []

    def predict(noisy, level, _):
        called.append(level)
        for part in (noisy[..., mask[0, 0] > 0], noisy[..., mask[0, 0] == 0]):
            rest = part - process.signal(level) * 3.0
            assert float(rest.std()) == pytest.approx(process.noise(level), rel=0.03)
            assert float(rest.mean()) == pytest.approx(0.0, abs=0.1)
        return output_for(process, noisy, known, level)

    config = InpaintingConfig(0.9, 5, jumps, eta)
    made = inpaint(known, mask, process, predict, SeededNoise([0], known.shape[1:]), config)
    assert called == [turn.level for turn in turns(config, process)]
    assert torch.allclose(made, known, atol=1e-3)


@every_process
@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_what_the_network_sees_below_the_noise_comes_out_in_the_mask_alone(process, eta):
    known, mask, seen = normal(1, 3, 8, 8), square_mask(8, 8), normal(1, 3, 8, 8, seed=1)
    known[0, 0, 0, 0] = -0.0

    def predict(noisy, level, _):
        found = output_for(process, noisy, seen, level)
        return torch.where(mask > 0, found, math.nan)  # a network may fail where nobody looks

    made = inpaint(
        known, mask, process, predict, SeededNoise([0, 1], known.shape[1:]),
        InpaintingConfig(1.0 if isinstance(process, RectifiedFlow) else 0.9, 6, 2, eta),
    )  # fmt: skip
    inside = (mask > 0).expand_as(made)
    assert torch.allclose(made[inside], seen.expand_as(made)[inside], atol=1e-4)
    outside, wanted = made[~inside], known.expand_as(made)[~inside]
    assert torch.equal(outside.view(torch.int32), wanted.contiguous().view(torch.int32))


@every_process
def test_a_soft_mask_mixes(process):
    known, seen = torch.zeros(1, 1, 4, 4), torch.ones(1, 1, 4, 4)
    mask = torch.linspace(0, 1, 16).reshape(1, 1, 4, 4)
    made = inpaint(
        known, mask, process, lambda z, s, _: output_for(process, z, seen, s),
        SeededNoise([0], (1, 4, 4)), InpaintingConfig(0.5, 3),
    )  # fmt: skip
    assert torch.allclose(made, mask, atol=1e-4)


def test_masks_and_latents_may_differ_from_row_to_row():
    process = RectifiedFlow()
    known, mask = normal(2, 1, 4, 4), torch.zeros(2, 1, 4, 4)
    mask[0, :, 1], mask[1, :, :, 2] = 1, 1
    made = inpaint(
        known, mask, process, lambda z, s, _: output_for(process, z, torch.full_like(z, 9.0), s),
        SeededNoise([0, 1], (1, 4, 4)), InpaintingConfig(0.5, 2),
    )  # fmt: skip
    assert torch.allclose(made, torch.where(mask > 0, 9.0, known), atol=1e-5)


def test_a_seed_gives_what_it_gives_alone(plane_velocity):
    process = DiscreteProcess(SCHEDULE, "velocity")
    known, mask = normal(1, 4, 8, 8, seed=1), square_mask(8, 8)

    def made(seeds):
        return inpaint(
            known, mask, process, lambda z, s, _: plane_velocity(z, process.time(s)),
            SeededNoise(seeds, known.shape[1:]), InpaintingConfig(0.7, 3, 2, 1.0),
        )  # fmt: skip

    both, alone = made([7, 8]), made([8])
    assert torch.allclose(both[1:], alone, atol=1e-5)
    assert torch.equal(made([8]), alone)
    assert not torch.allclose(both[0], both[1], atol=1e-2)


def test_one_step_is_ddpm_s_posterior():
    """Ho et al. 2020, equations 6 and 7, and for DDIM that of diffusers."""
    process, left = DiscreteProcess(SCHEDULE, "epsilon"), table(SCHEDULE)
    noisy, epsilon = normal(1, 2, 3, 3).double(), normal(1, 2, 3, 3, seed=1).double()
    turn, here, then = Turn(0.6, 0.4, False), left[599], left[399]
    split = process.split(noisy, epsilon, 0.6)
    alpha, beta = here / then, 1 - here / then
    mean = (
        then.sqrt() * beta / (1 - here) * split.clean
        + alpha.sqrt() * (1 - then) / (1 - here) * noisy
    )
    sigma = ((1 - then) / (1 - here) * beta).sqrt()
    drawn = normal(1, 2, 3, 3, seed=2).double()
    assert torch.allclose(
        reverse_step(process, split, turn, 1.0, lambda: drawn), mean + sigma * drawn, atol=1e-9
    )


def test_steps_without_noise_are_those_of_diffusers_and_monai():
    from diffusers import DDIMScheduler
    from monai.networks.schedulers import RFlowScheduler

    noisy, output = normal(1, 2, 3, 3), normal(1, 2, 3, 3, seed=1)
    for prediction, name in (("epsilon",) * 2, ("velocity", "v_prediction"), ("sample",) * 2):
        scheduler = DDIMScheduler(
            **SCHEDULE, prediction_type=name, clip_sample=False, timestep_spacing="trailing"
        )
        scheduler.set_timesteps(5)
        wanted = scheduler.step(output, 599, noisy).prev_sample
        process = DiscreteProcess(SCHEDULE, prediction)
        split = process.split(noisy, output, 0.6)
        found = reverse_step(process, split, Turn(0.6, 0.4, False), 0.0, no_noise)
        assert torch.allclose(found, wanted, atol=1e-4)
    flow, scheduler = RectifiedFlow(), RFlowScheduler()
    scheduler.set_timesteps(5)
    wanted = scheduler.step(output, 600, noisy, 400)[0]
    split = flow.split(noisy, output, 0.6)
    assert torch.allclose(
        reverse_step(flow, split, Turn(0.6, 0.4, False), 0.0, no_noise), wanted, atol=1e-6
    )


def no_noise():
    raise AssertionError("steps without noise draw none")


@every_process
@given(st.floats(0.05, 0.95), st.floats(0.1, 0.9), st.floats(0, 1))
def test_a_step_and_back_keep_the_noise_of_their_levels(process, level, share, eta):
    """Of clean 0 and noise of variance one, down a step and up again, by the variances alone."""
    turn = Turn(level, level * share, True)
    one, none = torch.ones(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    kept = reverse_step(process, Split(none, one), turn, eta, lambda: none)
    fresh = reverse_step(process, Split(none, none), turn, eta, lambda: one)
    wanted = process.noise(turn.then) ** 2
    assert float(kept**2 + fresh**2) == pytest.approx(wanted, abs=1e-9)
    again = noise_again(process, one, turn, none) ** 2 * wanted
    again += noise_again(process, none, turn, one) ** 2
    assert float(again) == pytest.approx(process.noise(level) ** 2, abs=1e-9)
    signal = noise_again(process, process.signal(turn.then) * one, turn, none)
    assert float(signal) == pytest.approx(process.signal(level))


@every_process
@given(st.floats(0.01, 1), st.integers(1, 30), st.integers(1, 5))
def test_turns_go_down_and_repeat_all_but_the_last(process, start, steps, jumps):
    config = InpaintingConfig(start, steps, jumps)
    path = turns(config, process)
    assert len(path) == config.passes
    assert [turn.level for turn in path[::jumps]] == levels(start, steps)[:-1]
    assert path[-1].then == 0.0 and not path[-1].again
    for turn, following in pairwise(path):
        assert following.level == (turn.level if turn.again else turn.then)


def test_the_network_is_taken_along_the_levels_of_its_process():
    """Those that MAISI's flow takes for a window of that size."""
    process, called = RectifiedFlow(reference=(4, 4)), []

    def predict(noisy, level, _):
        called.append(level)
        return noisy

    inpaint(
        torch.zeros(1, 1, 16, 16), square_mask(16, 16), process, predict,
        SeededNoise([0], (1, 16, 16)), InpaintingConfig(0.8, 4), places=(8, 8),
    )  # fmt: skip
    assert called == process.levels(0.8, 4, (8, 8))[:-1]
    assert called[1] > 0.61  # and not 0.6, where an even path would be


def run_small(progress, preview=None):
    process = RectifiedFlow()
    seen = torch.ones(1, 1, 4, 4)

    def predict(noisy, level, part):
        part.report(0.5)
        return output_for(process, noisy, seen, level)

    return inpaint(
        torch.zeros(1, 1, 4, 4), square_mask(4, 4), process, predict,
        SeededNoise([0], (1, 4, 4)), InpaintingConfig(0.5, 3, 2), progress, preview,
    )  # fmt: skip


def test_it_can_be_stopped_at_every_report():
    reports = []
    run_small(Progress(reports.append))
    fractions = [report.fraction for report in reports]
    assert fractions == sorted(fractions) and fractions[-1] == pytest.approx(1.0)
    assert len(fractions) == 1 + 2 * 5
    for stop in range(len(reports)):
        heard = []
        with pytest.raises(Cancelled):
            run_small(Progress(heard.append, lambda stop=stop, heard=heard: len(heard) == stop))
        assert len(heard) == stop


def test_a_preview_is_made_when_it_is_asked_for():
    made, reports = [], []
    run_small(Progress(reports.append), lambda clean: made.append(clean) or "picture")
    assert made == []
    shown = [report.preview for report in reports if report.preview is not None]
    assert len(shown) == 5
    assert shown[0]() == "picture"
    assert torch.allclose(made[0], square_mask(4, 4), atol=1e-5)


@pytest.mark.parametrize(
    "wrong",
    [{"start": 0.0}, {"start": 1.1}, {"start": math.nan}, {"steps": 0}, {"jumps": 0},
     {"eta": -0.1}, {"eta": 1.5}],
)  # fmt: skip
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        InpaintingConfig(**wrong)


def test_no_noise_is_left_when_two_levels_are_one_timestep():
    """More steps than timesteps: the step between them changes nothing."""
    process = DiscreteProcess({**SCHEDULE, "num_train_timesteps": 2}, "epsilon")
    split, turn = Split(normal(1, 3), normal(1, 3, seed=1)), Turn(0.9, 0.8, False)
    wanted = add_noise(process, split.clean, 0.9, split.noise)
    assert torch.allclose(reverse_step(process, split, turn, 1.0, no_noise), wanted, atol=1e-6)
