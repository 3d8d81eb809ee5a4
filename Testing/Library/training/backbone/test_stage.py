import math

import pytest
import torch

from DiffusionSegLib.backbones.compact.autoencoder import Autoencoder
from DiffusionSegLib.training.backbone.autoencoder_stage import AutoencoderStage, peak_ratio
from DiffusionSegLib.training.backbone.denoiser_stage import DenoiserStage
from DiffusionSegLib.training.backbone.stage import rate_share, seeded
from Testing.Library.backbones.compact.tiny import tiny_config, tiny_networks
from Testing.Library.reference.awake import awake, normal
from Testing.Library.training.backbone.tiny import tiny_pack, tiny_settings

CPU = torch.device("cpu")


def denoiser_stage(**changes):
    stage = DenoiserStage(
        tiny_config(), tiny_networks()[0], tiny_settings(**changes), tiny_pack(), CPU
    )
    awake(stage.network)
    return stage


@pytest.mark.parametrize(
    ("number", "share"),
    [(0, 0.25), (1, 0.5), (3, 1.0), (50, 1.0), (70, 1.0), (85, 0.5), (100, 0.0)],
)
def test_the_rate_rises_is_flat_and_falls(number, share):
    settings = tiny_settings(warmup=4, decay=0.3)
    assert rate_share(number, 100, settings) == pytest.approx(share)


def test_the_velocity_that_is_learnt():
    """v = √ᾱ ε − √(1 − ᾱ) z, sample by sample, from the schedule's definition in float64."""
    stage = denoiser_stage()
    latent, noise = normal(3, 4, 4, 4), normal(3, 4, 4, 4, seed=1)
    times = torch.tensor([0, 400, 999])
    noisy, velocity = stage._pair(latent, times, noise)
    beta = torch.linspace(0.00085**0.5, 0.012**0.5, 1000).double() ** 2
    for number, time in enumerate(times.tolist()):
        left = math.prod((1 - beta[: time + 1]).tolist())
        wanted = left**0.5 * latent[number] + (1 - left) ** 0.5 * noise[number]
        assert torch.allclose(noisy[number], wanted, atol=1e-5)
        wanted = left**0.5 * noise[number] - (1 - left) ** 0.5 * latent[number]
        assert torch.allclose(velocity[number], wanted, atol=1e-5)


def test_latents_are_brought_to_a_deviation_of_one():
    stage = denoiser_stage()
    batch = stage.batches.draw(64, 32, CPU)
    with torch.no_grad():
        deviation = float(stage._encode(batch.image).std())
    assert deviation == pytest.approx(1.0, abs=0.2)


def test_the_last_steps_see_large_crops():
    stage = denoiser_stage(steps=10, large_share=0.3)
    sizes = [tuple(stage.draw(number).image.shape) for number in (0, 6, 7, 9)]
    assert sizes == [(2, 3, 32, 32), (2, 3, 32, 32), (1, 3, 64, 64), (1, 3, 64, 64)]


def test_the_autoencoder_is_frozen():
    stage = denoiser_stage()
    before = {name: value.clone() for name, value in stage.autoencoder.state_dict().items()}
    stage.step(0)
    for name, value in stage.autoencoder.state_dict().items():
        assert torch.equal(value, before[name])


def test_the_loss_of_the_autoencoder():
    """Its parts by hand, from the same noise."""
    settings = tiny_settings(divergence=0.01, edges=0.5)
    stage = AutoencoderStage(tiny_config().autoencoder, settings, tiny_pack(), CPU)
    batch = stage.draw(0)
    kept = stage.rng.get_state()
    with torch.no_grad():
        loss, parts = stage.loss(batch)
        stage.rng.set_state(kept)
        latent = stage.network.encode(batch.image)
        made = stage.network.decode(latent.sample(stage.noise(latent.mean.shape)))
        error = made - batch.image
        edges = (error[:, :, 1:] - error[:, :, :-1]).abs().mean()
        edges = edges + (error[..., 1:] - error[..., :-1]).abs().mean()
        wanted = error.abs().mean() + 0.5 * edges + 0.01 * latent.divergence()
    assert float(loss) == pytest.approx(float(wanted), rel=1e-5)
    assert float(parts["edges"]) == pytest.approx(float(edges), rel=1e-5)


def test_peak_ratio():
    """An error of 0.2 in [-1, 1] is one of 0.1 in [0, 1]: 20 dB."""
    image = torch.zeros(1, 3, 4, 4)
    assert peak_ratio(image + 0.2, image) == pytest.approx(20.0, abs=1e-4)
    assert peak_ratio(image, image) == pytest.approx(100.0)


def test_weights_depend_on_the_seed_alone():
    config = tiny_config().autoencoder
    before = torch.get_rng_state()
    first, again, other = (seeded(lambda: Autoencoder(config), seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    weights = [network.encoder[0].weight for network in (first, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
