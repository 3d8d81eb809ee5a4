import math

import pytest
import torch

from DiffusionSegLib.diffusion.variance_preserving import (
    VariancePreservingConfig,
    VariancePreservingProcess,
)
from DiffusionSegLib.errors import Cancelled
from DiffusionSegLib.methods.cdal.ensemble import (
    EnsembleSettings,
    StartFrom,
    draw_ensemble,
    settled,
)
from DiffusionSegLib.progress import Progress
from Testing.Library.methods.cdal.tiny import constant_network, tiny_network
from Testing.Library.reference.awake import normal

IMAGE = normal(1, 16, 16).clamp(-1, 1)
TWO_STEPS = VariancePreservingProcess(VariancePreservingConfig(2))


def rng(seed=5):
    return torch.Generator().manual_seed(seed)


def draw(network, samples=5, seed=5, labels=1, process=TWO_STEPS, start=None, **settings):
    chosen = EnsembleSettings(samples, **settings)
    return draw_ensemble(network, process, IMAGE, labels, chosen, rng(seed), start)


def test_the_same_seed_gives_the_same_bits():
    network = tiny_network()
    first, second, other = draw(network), draw(network), draw(network, seed=6)
    assert torch.equal(first.mean, second.mean)
    assert torch.equal(first.deviation, second.deviation)
    assert first.volumes == second.volumes
    assert not torch.equal(first.mean, other.mean)


@pytest.mark.parametrize("labels", [1, 2])
@pytest.mark.parametrize("steps", [1, 2, 4])
def test_mean_and_deviation_are_those_of_one_large_batch(labels, steps):
    """The released way: N copies of the image through the whole network, then the mean."""
    network, samples = tiny_network(labels=labels), 6
    channels = network.config.mask_channels
    process = VariancePreservingProcess(VariancePreservingConfig(steps))
    found = draw(network, samples, labels=labels, process=process)

    source, drawn = rng(), []
    for _ in range(samples):
        noises = [torch.randn((1, channels, 16, 16), generator=source)]
        for t in reversed(range(steps)):
            noises.append(torch.randn((1, 4), generator=source))
            if t > 0:
                noises.append(torch.randn((1, channels, 16, 16), generator=source))
        drawn.append(noises)
    columns = [torch.cat(column) for column in zip(*drawn, strict=True)]
    x = columns.pop(0)
    images = IMAGE[None].expand(samples, -1, -1, -1)
    with torch.no_grad():
        for t in reversed(range(steps)):
            clean = network(x, torch.full((samples,), t), images, columns.pop(0))
            c1, c2 = float(process.clean_weight[t]), float(process.noisy_weight[t])
            x = c1 * clean + c2 * x
            if t > 0:
                x = x + math.sqrt(float(process.variance[t])) * columns.pop(0)
    probability = ((x + 1) / 2).clamp(0, 1)
    probability = probability if labels == 1 else probability[:, 1:]
    assert float(probability.std()) > 0.05
    assert torch.allclose(found.mean, probability.mean(dim=0), atol=1e-5)
    deviation = probability.std(dim=0, unbiased=False)
    assert torch.allclose(found.deviation, deviation, atol=2e-3)  # of small differences of squares
    volumes = (probability.sum(dim=1) >= 0.5).flatten(1).sum(dim=1)
    assert list(found.volumes) == pytest.approx(volumes.tolist(), abs=1)


def test_each_sample_is_drawn_alone_and_the_image_is_encoded_once():
    network = tiny_network()
    batches, encodings = [], []
    network.stem.register_forward_hook(lambda _m, given, _o: batches.append(len(given[0])))
    network.condition.register_forward_hook(lambda _m, given, _o: encodings.append(len(given[0])))
    draw(network, samples=7)
    assert batches == [1] * (7 * 2)  # so memory does not grow with the number of samples
    assert encodings == [1]


def test_a_network_that_always_says_the_same_has_no_deviation():
    found = draw(constant_network(0.7), samples=4)
    assert torch.allclose(found.mean, torch.tensor(0.7), atol=1e-6)
    assert float(found.deviation.max()) < 1e-3
    assert found.volumes == (256.0,) * 4


def test_drawing_stops_when_the_outline_has_settled():
    assert draw(constant_network(0.7), samples=9, tolerance=0.01).drawn == 3
    assert draw(constant_network(0.7), samples=9, tolerance=0.01, least=5).drawn == 5
    assert draw(constant_network(0.2), samples=9, tolerance=0.01).drawn == 3  # empty is settled
    assert draw(constant_network(0.7), samples=9).drawn == 9
    assert draw(constant_network(0.7), samples=2, tolerance=0.01).drawn == 2


def test_stopping_early_gives_what_fewer_samples_give():
    network = tiny_network()
    early = draw(network, samples=50, tolerance=0.05)
    assert 3 <= early.drawn < 50
    assert torch.equal(early.mean, draw(network, samples=early.drawn).mean)


def test_settled_counts_the_voxels_that_changed_sides():
    before, after = torch.zeros(1, 10, 10), torch.zeros(1, 10, 10)
    before[0, :5], after[0, :5] = 1, 1
    after[0, 5, :2] = 0.6
    assert settled(before, after, 0.05)
    assert not settled(before, after, 0.03)
    assert not settled(before, before, 0.0)


@pytest.mark.parametrize("labels", [1, 2])
@pytest.mark.parametrize("index", [1, 2])
def test_kept_voxels_of_a_given_mask_survive_exactly(labels, index):
    network = tiny_network(labels=labels)
    channels = network.config.mask_channels
    mask = normal(channels, 16, 16, seed=3).sign()
    keep = normal(1, 16, 16, seed=4) > 0
    found = draw(network, labels=labels, start=StartFrom(mask, index, keep))
    wanted = (mask + 1) / 2 if labels == 1 else ((mask + 1) / 2)[1:]
    kept = keep.expand_as(wanted)
    assert torch.equal(found.mean[kept], wanted[kept])
    assert float(found.deviation[kept].max()) == 0
    assert float((found.mean - wanted)[~kept].abs().max()) > 0.1


def test_a_lower_noise_level_stays_closer_to_the_given_mask():
    process = VariancePreservingProcess(VariancePreservingConfig(4))
    mask = torch.ones(1, 16, 16)
    mask[:, :8] = -1
    inputs = []
    network = tiny_network()
    network.stem.register_forward_hook(lambda _m, given, _o: inputs.append(given[0].clone()))
    for index in (1, 4):
        start = StartFrom(mask, index, torch.zeros(1, 16, 16, dtype=torch.bool))
        draw(network, samples=1, process=process, start=start)
    near, far = inputs[0][0], inputs[1][0]
    assert len(inputs) == 1 + 4
    assert float((near * mask).mean()) > 0.5
    assert abs(float((far * mask).mean())) < 0.3


def test_previews_are_the_mean_so_far_at_every_step():
    seen = []
    found = draw_ensemble(
        tiny_network(), TWO_STEPS, IMAGE, 1, EnsembleSettings(3), rng(), preview=seen.append
    )
    assert [p.shape for p in seen] == [(1, 16, 16)] * 6
    assert torch.equal(seen[-1], found.mean)
    assert torch.equal(seen[1], draw(tiny_network(), samples=1).mean)
    assert not torch.equal(seen[0], seen[1])


def test_progress_is_reported_and_cancels_between_steps():
    reports = []
    chosen = EnsembleSettings(4)
    draw_ensemble(
        tiny_network(), TWO_STEPS, IMAGE, 1, chosen, rng(), progress=Progress(reports.append)
    )
    assert reports[-1].fraction == 1
    assert len(reports) >= 4
    network, runs = tiny_network(), []
    network.stem.register_forward_hook(lambda *_: runs.append(1))
    progress = Progress(cancelled=lambda: len(runs) >= 3)
    with pytest.raises(Cancelled):
        draw_ensemble(network, TWO_STEPS, IMAGE, 1, chosen, rng(), progress=progress)
    assert len(runs) == 3


def test_enough_ends_with_the_samples_drawn_so_far_and_one_at_least():
    for wanted, drawn in ((1, 1), (3, 3), (9, 5)):
        reports = []
        progress = Progress(reports.append, accept=lambda n=wanted, r=reports: len(r) >= n)
        found = draw_ensemble(
            tiny_network(), TWO_STEPS, IMAGE, 1, EnsembleSettings(5), rng(), progress=progress
        )
        assert (found.drawn, found.stopped) == (drawn, drawn < 5)
        assert torch.equal(found.mean, draw(tiny_network(), samples=drawn).mean)
    at_once = Progress(accept=lambda: True)
    found = draw_ensemble(
        tiny_network(), TWO_STEPS, IMAGE, 1, EnsembleSettings(5), rng(), progress=at_once
    )
    assert (found.drawn, found.stopped) == (1, True)
    assert not draw(constant_network(0.7), samples=9, tolerance=0.01).stopped
