import json
import shutil
from pathlib import Path

import pytest
import torch

from DiffusionSegLib.backbones.generative.interface import ScanFacts
from DiffusionSegLib.backbones.generative.opening import open_generative
from DiffusionSegLib.diffusion.noise_process import add_noise
from DiffusionSegLib.errors import InputError, ModelError
from Testing.Library.backbones.latent_diffusion.tiny import save_pipeline
from Testing.Library.reference.awake import normal

pytest.importorskip("diffusers", reason="diffusers is part of the test extra")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_pipeline(tmp_path_factory.mktemp("tiny pipeline"))


@pytest.fixture(scope="module")
def model(folder):
    return opened(folder)


@pytest.fixture(scope="module")
def networks(folder):
    """As diffusers itself opens them."""
    from diffusers import AutoencoderKL, UNet2DConditionModel

    return (
        AutoencoderKL.from_pretrained(folder / "vae").eval(),
        UNet2DConditionModel.from_pretrained(folder / "unet").eval(),
    )


def opened(folder):
    settings = {"kind": "pipeline", "source": folder.name}
    return open_generative(settings, "cpu", folder=folder.parent)


def gray(seed=0, batch=1):
    return normal(batch, 1, 32, 48, seed=seed).abs().clamp(0, 1)


def test_it_is_a_generative_backbone(model):
    assert (model.dims, model.factor, model.multiple, model.latent_channels) == (2, 4, 16, 4)
    assert model.stage_channels == (8, 8, 8) and model.stage_factors == (2, 4, 4)
    assert model.device.type == "cpu" and model.dtype == torch.float32


def test_gray_images_are_encoded_with_the_blocks_between(model, networks):
    image = gray(batch=2)
    found = model.encode(image)
    autoencoder = networks[0]
    given = (image * 2 - 1).repeat(1, 3, 1, 1)
    with torch.no_grad():
        expected = autoencoder.encode(given).latent_dist.mean * autoencoder.config.scaling_factor
        inner = autoencoder.encoder.conv_in(given)
        blocks = []
        for block in autoencoder.encoder.down_blocks:
            inner = block(inner)
            blocks.append(inner)
    torch.testing.assert_close(found.latent, expected, atol=1e-5, rtol=1e-4)
    assert len(found.stages) == 3
    for stage, block, factor in zip(found.stages, blocks, model.stage_factors, strict=True):
        torch.testing.assert_close(stage, block, atol=1e-5, rtol=1e-4)
        assert stage.shape[2:] == (32 // factor, 48 // factor)
    assert not model.model._autoencoder.encoder.down_blocks[0]._forward_hooks  # none stays


def test_values_outside_the_range_are_clipped(model):
    image = normal(1, 1, 32, 32)
    assert torch.equal(model.encode(image).latent, model.encode(image.clamp(0, 1)).latent)


def test_decoding_gives_the_mean_of_the_channels(model, networks):
    autoencoder = networks[0]
    latent = model.encode(gray(batch=2)).latent
    with torch.no_grad():
        image = autoencoder.decode(latent / autoencoder.config.scaling_factor).sample
    expected = ((image.mean(1, keepdim=True) + 1) / 2).clamp(0, 1)
    found = model.decode(latent)
    assert found.shape == (2, 1, 32, 48) and float(found.std()) > 0
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("batch", [1, 3])
def test_prediction_is_told_the_timestep_and_the_text(model, networks, batch):
    noisy = normal(batch, 4, 8, 12)
    condition = model.condition(ScanFacts("ab"))
    with torch.no_grad():
        expected = networks[1](
            noisy, torch.full((batch,), 249), condition.states.repeat(batch, 1, 1)
        ).sample
    found = model.predict(noisy, 0.25, condition)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
    other = model.predict(noisy, 0.25, model.condition(ScanFacts("")))
    assert (found - other).abs().max() > 1e-5


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction", "sample"])
def test_a_step_is_the_schedulers_own(folder, tmp_path, kind):
    from diffusers import DDIMScheduler

    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    change_scheduler(copy, prediction_type=kind)
    process = opened(copy).process
    theirs = DDIMScheduler.from_pretrained(
        copy / "scheduler", clip_sample=False, set_alpha_to_one=True
    )
    theirs.set_timesteps(50)
    clean, noise, output = (normal(1, 4, 8, 8, seed=seed) for seed in (1, 2, 3))
    noisy = add_noise(process, clean, 0.5, noise)
    torch.testing.assert_close(noisy, theirs.add_noise(clean, noise, torch.tensor([499])))
    split = process.split(noisy, output, 0.5)
    ours = process.signal(0.48) * split.clean + process.noise(0.48) * split.noise
    expected = theirs.step(output, 499, noisy).prev_sample
    torch.testing.assert_close(ours, expected, atol=1e-4, rtol=1e-3)


def change_scheduler(folder, **changes):
    file = folder / "scheduler" / "scheduler_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


@pytest.mark.parametrize("changes", [{"prediction_type": "flow"}, {"rescale_betas_zero_snr": True}])
def test_other_noise_is_refused(folder, tmp_path, changes):
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    change_scheduler(copy, **changes)
    with pytest.raises(ModelError, match=r"scheduler of .* not known \((flow|rescale_betas_zero)"):
        opened(copy)


def test_other_sizes_are_refused(model):
    with pytest.raises(InputError, match="multiples of 16"):
        model.encode(torch.zeros(1, 1, 32, 40))


@pytest.mark.parametrize("source", [None, "", 4])
def test_a_source_is_needed(source):
    with pytest.raises(ModelError, match="'pipeline' needs a 'source'"):
        open_generative({"kind": "pipeline", "source": source}, "cpu")


def test_weights_that_give_no_numbers_are_told_of(folder):
    broken = opened(folder)
    with torch.no_grad():
        broken.model.network.conv_in.weight.fill_(torch.nan)
    with pytest.raises(ModelError, match="no numbers in one denoising step"):
        broken.predict(normal(1, 4, 8, 8), 0.5, broken.condition(ScanFacts()))
