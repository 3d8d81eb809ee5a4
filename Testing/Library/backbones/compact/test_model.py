import json
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

from DiffusionSegLib.backbones.latent_diffusion.attention_pass import (
    AttentionRequest,
    run_attention_pass,
)
from DiffusionSegLib.errors import InputError, ModelError
from Testing.Library.backbones.compact.tiny import (
    TOKENS,
    WIDTH,
    open_tiny,
    tiny_config,
    tiny_networks,
    write_card,
    write_model,
)
from Testing.Library.reference.awake import normal


@pytest.fixture
def folder(tmp_path):
    return write_model(tmp_path / "tiny")


def test_it_computes_what_its_networks_compute(folder):
    model = open_tiny(folder)
    autoencoder, denoiser = tiny_networks()
    image = normal(1, 3, 32, 48).clamp(-1, 1)
    latent = model.encode(image)
    with torch.no_grad():
        assert torch.allclose(latent, autoencoder.encode(image).mean * 2.0, atol=1e-6)
        wanted = autoencoder.decode(latent / 2.0).clamp(-1, 1)
        assert torch.allclose(model.decode(latent), wanted, atol=1e-6)
        text = model.embed_text("")
        wanted = denoiser(latent, torch.tensor([300]), text.states)
        assert torch.allclose(model.denoise(latent, 300, text), wanted, atol=1e-6)
    assert (model.name, model.timesteps, model.image_multiple) == ("backbone/tiny", 1000, 16)
    assert model.dtype == torch.float32


def test_the_velocity_holds_the_clean_latent_and_the_noise(folder):
    model = open_tiny(folder)
    latent, noise = normal(1, 4, 4, 4), normal(1, 4, 4, 4, seed=1)
    for timestep in (0, 300, 999):
        noisy = model.add_noise(latent, timestep, noise)
        velocity = _velocity(model, latent, noise, timestep)
        clean, found = model.split_velocity(noisy, velocity, timestep)
        assert torch.allclose(clean, latent, atol=1e-5)
        assert torch.allclose(found, noise, atol=1e-5)


def _velocity(model, latent, noise, timestep):
    """v = √ᾱ ε − √(1 − ᾱ) z, with ᾱ from the schedule's own definition."""
    s = tiny_config().schedule
    beta = torch.linspace(s["beta_start"] ** 0.5, s["beta_end"] ** 0.5, 1000).double() ** 2
    left = float(torch.cumprod(1 - beta, 0)[timestep])
    return left**0.5 * noise - (1 - left) ** 0.5 * latent


def test_pictures_without_words_need_no_text_encoder(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    model = open_tiny(folder)
    text = model.embed_text("  ")
    assert text.states.shape == (1, TOKENS, WIDTH)
    assert len(text.tokens) == len(text.spans) == TOKENS
    assert text.tokens_of("liver") == ()


def test_an_attention_pass_over_an_image_that_is_not_square(folder):
    model = open_tiny(folder)
    found = run_attention_pass(model, normal(1, 3, 48, 80), AttentionRequest(50, cross=True))
    assert found.latent == (12, 20)
    assert [one.grid for one in found.self_maps] == [(6, 10), (3, 5)]
    assert all(torch.allclose(one.weights.sum(1), torch.tensor(1.0)) for one in found.maps)
    again = run_attention_pass(model, normal(1, 3, 48, 80), AttentionRequest(50, cross=True))
    assert all(
        torch.equal(a.weights, b.weights) for a, b in zip(found.maps, again.maps, strict=True)
    )


@pytest.mark.parametrize("shape", [(1, 3, 40, 48), (1, 1, 32, 32)])
def test_images_of_other_shapes_are_refused(folder, shape):
    with pytest.raises(InputError, match="multiples of 16"):
        open_tiny(folder).encode(torch.zeros(shape))


def test_it_can_be_put_into_full_precision(folder):
    model = open_tiny(folder)
    model.network.half()
    assert model.dtype == torch.float16
    model.to_float32()
    assert model.dtype == torch.float32


def test_damaged_weights_are_one_sentence(folder):
    file = folder / "weights.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(ModelError, match="sha256"):
        open_tiny(folder)


@pytest.mark.parametrize("lost", ["empty_text", "denoiser.last.weight"])
def test_weights_that_lack_something_name_it(folder, lost):
    weights = load_file(folder / "weights.safetensors")
    del weights[lost]
    save_file(weights, folder / "weights.safetensors")
    write_card(folder)
    with pytest.raises(ModelError, match=lost.removeprefix("denoiser.")):
        open_tiny(folder)


def test_settings_of_other_networks_are_told(folder):
    settings = json.loads(json.dumps(tiny_config().to_dict()))
    settings["denoiser"]["channels"] = [8, 16, 24]
    write_card(folder, settings=settings)
    with pytest.raises(ModelError, match="do not belong to its settings"):
        open_tiny(folder)
