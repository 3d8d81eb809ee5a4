"""The compact model behind the generative interface, with a tiny model of the same kind."""

import pytest
import torch

from DiffusionSegLib.backbones.generative.compact import CompactGenerative
from DiffusionSegLib.backbones.generative.interface import ScanFacts
from DiffusionSegLib.diffusion.noise_process import add_noise
from Testing.Library.backbones.compact.tiny import open_tiny, write_model
from Testing.Library.reference.awake import normal


@pytest.fixture
def backbone(tmp_path):
    return CompactGenerative(open_tiny(write_model(tmp_path)), "CC0")


def image_of(*shape, seed=0):
    return normal(*shape, seed=seed).sigmoid()


def test_it_tells_what_it_is(backbone):
    assert (backbone.dims, backbone.factor, backbone.multiple) == (2, 4, 16)
    assert (backbone.latent_channels, backbone.licence, backbone.name) == (
        4,
        "CC0",
        "backbone/tiny",
    )
    assert backbone.dtype == torch.float32 and str(backbone.device) == "cpu"
    assert backbone.weights_sha256 == backbone.model.weights_sha256 != ""


def test_the_stages_are_as_wide_and_as_coarse_as_it_says(backbone):
    found = backbone.encode(image_of(2, 1, 32, 48))
    assert found.latent.shape == (2, 4, 8, 12)
    sizes = [(stage.shape[1], 32 // stage.shape[2], 48 // stage.shape[3]) for stage in found.stages]
    stated = zip(backbone.stage_channels, backbone.stage_factors, strict=True)
    assert sizes == [(channels, factor, factor) for channels, factor in stated]
    assert len(sizes) == 2  # one block at each resolution, where the bundled model has three


def test_gray_images_are_three_equal_channels_of_its_range(backbone):
    image = image_of(1, 1, 32, 32)
    wanted = backbone.model.encode((image * 2 - 1).repeat(1, 3, 1, 1))
    assert torch.equal(backbone.encode(image).latent, wanted)
    stages = backbone.model.encode_stages((image * 2 - 1).repeat(1, 3, 1, 1))[1]
    assert all(map(torch.equal, backbone.encode(image).stages, stages))
    color = backbone.model.decode(wanted)
    assert torch.allclose(backbone.decode(wanted), (color.mean(1, keepdim=True) + 1) / 2)


def test_values_out_of_range_are_clipped(backbone):
    wild = 3 * normal(1, 1, 32, 32)
    assert torch.equal(backbone.encode(wild).latent, backbone.encode(wild.clamp(0, 1)).latent)
    shown = backbone.decode(9 * normal(1, 4, 8, 8))
    assert shown.shape == (1, 1, 32, 32) and shown.dtype == torch.float32
    assert float(shown.min()) >= 0 and float(shown.max()) <= 1


def test_a_batch_is_what_its_rows_are_alone(backbone):
    images, noisy = image_of(3, 1, 32, 16), normal(3, 4, 8, 4)
    condition = backbone.condition(ScanFacts())
    found, predicted, decoded = (
        backbone.encode(images), backbone.predict(noisy, 0.4, condition), backbone.decode(noisy)
    )  # fmt: skip
    for n in range(3):
        row = slice(n, n + 1)
        alone = backbone.encode(images[row])
        assert torch.allclose(found.latent[row], alone.latent, atol=1e-5)
        for stage, own in zip(found.stages, alone.stages, strict=True):
            assert torch.allclose(stage[row], own, atol=1e-5)
        assert torch.allclose(
            predicted[row], backbone.predict(noisy[row], 0.4, condition), atol=1e-5
        )
        assert torch.allclose(decoded[row], backbone.decode(noisy[row]), atol=1e-5)


def test_it_predicts_the_velocity_at_the_level_s_timestep(backbone):
    noisy, text = normal(1, 4, 8, 8), backbone.model.embed_text("")
    found = backbone.predict(noisy, 0.3, backbone.condition(ScanFacts()))
    assert torch.equal(found, backbone.model.denoise(noisy, 299, text))
    assert not torch.equal(found, backbone.model.denoise(noisy, 300, text))
    split = backbone.process.split(noisy, found, 0.3)
    clean, noise = backbone.model.split_velocity(noisy, found, 299)
    assert torch.allclose(split.clean, clean) and torch.allclose(split.noise, noise)


def test_its_process_is_that_of_the_model(backbone):
    clean, noise = normal(1, 4, 8, 8), normal(1, 4, 8, 8, seed=1)
    for timestep in (0, 299, 999):
        wanted = backbone.model.add_noise(clean, timestep, noise)
        found = add_noise(backbone.process, clean, (timestep + 1) / 1000, noise)
        assert torch.allclose(found, wanted, atol=1e-6)


def test_words_are_what_it_is_told(backbone):
    texts = []
    states = normal(1, 5, 384)
    model = backbone.model
    real = model.embed_text
    model.embed_text = lambda text: texts.append(text) or real("")  # the words' model is large
    assert torch.equal(backbone.condition(ScanFacts(text="a liver")), real("").states)
    assert texts == ["a liver"]
    assert not torch.equal(
        backbone.predict(normal(1, 4, 8, 8), 0.5, states),
        backbone.predict(normal(1, 4, 8, 8), 0.5, real("").states),
    )
