import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from DiffusionSegLib.backbones.latent_diffusion.interface import LatentDiffusion
from DiffusionSegLib.backbones.latent_diffusion.pipeline import open_pipeline
from DiffusionSegLib.errors import InputError, ModelError
from Testing.Library.backbones.latent_diffusion.tiny import image
from Testing.Library.reference.awake import normal


@pytest.fixture(scope="module")
def pipeline(pipeline_folder):
    return open_pipeline(pipeline_folder)


@pytest.fixture
def copied(pipeline_folder, tmp_path):
    return shutil.copytree(pipeline_folder, tmp_path / "model")


def test_it_computes_what_diffusers_computes(pipeline, pipeline_folder):
    from diffusers import AutoencoderKL, UNet2DConditionModel

    vae = AutoencoderKL.from_pretrained(pipeline_folder / "vae").eval()
    unet = UNet2DConditionModel.from_pretrained(pipeline_folder / "unet").eval()
    text = pipeline.embed_text("red cat")
    with torch.no_grad():
        latent = vae.encode(image()).latent_dist.mean * vae.config.scaling_factor
        noise = unet(latent, 300, encoder_hidden_states=text.states).sample
    assert torch.allclose(pipeline.encode(image()), latent, atol=1e-5)
    assert torch.allclose(pipeline.denoise(latent, 300, text), noise, atol=1e-5)


def test_it_is_a_frozen_latent_diffusion(pipeline):
    checked: LatentDiffusion = pipeline
    assert (checked.image_channels, checked.image_multiple, checked.timesteps) == (3, 16, 1000)
    assert pipeline.latent_factor == 4 and checked.dtype == torch.float32
    assert not any(one.requires_grad for one in checked.network.parameters())
    assert not checked.encode(image()).requires_grad


def test_images_need_not_be_square(pipeline):
    assert pipeline.encode(image(32, 80)).shape == (1, 4, 8, 20)


@pytest.mark.parametrize("given", [image(40, 64), image(64, 63), image()[:, :1]])
def test_an_image_of_another_shape_is_refused(pipeline, given):
    channels, rows, columns = given.shape[1:]
    told = f"multiples of 16, not {channels} channels of {rows} x {columns}"
    with pytest.raises(InputError, match=told):
        pipeline.encode(given)


def test_noise_is_that_of_the_pipeline_s_own_scheduler(pipeline, pipeline_folder):
    from diffusers import DDIMScheduler

    scheduler = DDIMScheduler.from_pretrained(pipeline_folder / "scheduler")
    latent, noise = normal(1, 4, 8, 8), normal(1, 4, 8, 8, seed=1)
    for timestep in (0, 300, 999):
        wanted = scheduler.add_noise(latent, noise, torch.tensor([timestep]))
        assert torch.allclose(pipeline.add_noise(latent, timestep, noise), wanted, atol=2e-5)


def test_an_unknown_noise_schedule_is_refused(copied):
    file = copied / "scheduler" / "scheduler_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "beta_schedule": "sigmoid"}))
    with pytest.raises(ModelError, match="'sigmoid' is not known"):
        open_pipeline(copied)


def test_half_precision_files_and_old_names_are_read(copied, pipeline):
    """As the first Stable Diffusion's autoencoder is stored, and as mirrors keep their weights."""
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    file = copied / "vae" / "diffusion_pytorch_model.safetensors"
    weights = {}
    for name, value in load_file(file).items():
        if ".attentions." in name:
            for new, before in old.items():
                name = name.replace(f".{new}.", f".{before}.")
            value = value[..., None, None] if value.ndim == 2 else value
        weights[name] = value.contiguous()
    assert any(name.endswith("query.weight") for name in weights)
    save_file(weights, file)
    file.rename(file.with_name("diffusion_pytorch_model.fp16.safetensors"))
    found = open_pipeline(copied).encode(image())
    assert torch.allclose(found, pipeline.encode(image()), atol=1e-5)


def test_weights_in_several_files_are_read(copied, pipeline):
    file = copied / "unet" / "diffusion_pytorch_model.safetensors"
    weights = load_file(file)
    names, where = sorted(weights), {}
    for number, part in enumerate((names[::2], names[1::2])):
        shard = f"diffusion_pytorch_model-0000{number + 1}-of-00002.safetensors"
        save_file({name: weights[name] for name in part}, file.with_name(shard))
        where |= dict.fromkeys(part, shard)
    file.unlink()
    index = file.with_name("diffusion_pytorch_model.safetensors.index.json")
    index.write_text(json.dumps({"weight_map": where}))
    opened = open_pipeline(copied)
    text, latent = pipeline.embed_text(""), normal(1, 4, 16, 16)
    found, wanted = opened.denoise(latent, 5, text), pipeline.denoise(latent, 5, text)
    assert torch.allclose(found, wanted, atol=1e-5)
    file.with_name(shard).unlink()
    with pytest.raises(ModelError, match=r"incomplete: unet/.*00002-of-00002"):
        open_pipeline(copied)


def test_full_precision_is_for_good(pipeline_folder):
    pipeline = open_pipeline(pipeline_folder)
    for part in (pipeline.network, pipeline._autoencoder, pipeline._text_encoder.network):
        part.half()
    assert pipeline.dtype == torch.float16
    pipeline.to_float32()
    assert pipeline.dtype == torch.float32
    assert pipeline.encode(image()).dtype == pipeline.embed_text("").states.dtype == torch.float32
