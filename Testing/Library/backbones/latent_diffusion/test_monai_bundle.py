import shutil

import pytest
import torch

from DiffusionSegLib.backbones.latent_diffusion.attention_pass import (
    AttentionRequest,
    run_attention_pass,
)
from DiffusionSegLib.backbones.latent_diffusion.interface import LatentDiffusion
from DiffusionSegLib.backbones.latent_diffusion.monai_bundle import bundle_files, open_monai
from DiffusionSegLib.errors import InputError, ModelError, PromptError
from Testing.Library.backbones.latent_diffusion.tiny import image
from Testing.Library.backbones.latent_diffusion.tiny_monai import (
    AUTOENCODER,
    NETWORK,
    build,
    change_config,
    save_bundle,
    save_weights,
)
from Testing.Library.diffusion.attention.slow_capture import slow_maps
from Testing.Library.reference.awake import normal

GRAY = image(64, 96)[:, :1]


@pytest.fixture(scope="module")
def bundle(pipeline_folder, tmp_path_factory):
    """A whole bundle; tests that break one copy it first."""
    return save_bundle(tmp_path_factory.mktemp("bundle"), pipeline_folder)


@pytest.fixture(scope="module")
def model(bundle):
    return open_monai(bundle)


@pytest.fixture
def copied(bundle, tmp_path):
    return shutil.copytree(bundle, tmp_path / "model")


def refused(folder, *words: str) -> None:
    with pytest.raises(ModelError) as caught:
        open_monai(folder)
    told = str(caught.value)
    assert all(word in told for word in (*words, str(folder))), told


def test_it_computes_what_monai_computes(model):
    autoencoder, network = build(AUTOENCODER), build(NETWORK, 1)
    text = model.embed_text("red cat")
    with torch.no_grad():
        latent = autoencoder.encode((GRAY + 1) / 2)[0] * 0.3
        velocity = network(latent, torch.tensor([300]), text.states)
    assert torch.allclose(model.encode(GRAY), latent, atol=1e-5)
    assert torch.allclose(model.denoise(latent, 300, text), velocity, atol=1e-5)
    assert latent.std() > 1e-3 and velocity.std() > 1e-3


def test_it_is_a_frozen_latent_diffusion(model):
    checked: LatentDiffusion = model
    assert (checked.image_channels, checked.image_multiple, checked.timesteps) == (1, 16, 1000)
    assert checked.encode(GRAY).shape == (1, 3, 16, 24) and checked.dtype == torch.float32
    assert not any(one.requires_grad for one in checked.network.parameters())
    assert not checked.encode(GRAY).requires_grad
    with pytest.raises(InputError, match=r"reads 1 channels .* not 3 channels of 64 x 96"):
        model.encode(image(64, 96))
    with pytest.raises(PromptError, match="tokens and the model reads 12"):
        model.embed_text("much too long a text")


def test_noise_is_that_of_monai_s_own_scheduler(model):
    from monai.networks.schedulers import DDIMScheduler

    scheduler = DDIMScheduler(1000, "scaled_linear_beta", beta_start=0.0015, beta_end=0.0205)
    latent, noise = normal(1, 3, 8, 8), normal(1, 3, 8, 8, seed=1)
    for timestep in (0, 300, 999):
        wanted = scheduler.add_noise(latent, noise, torch.tensor([timestep]))
        assert torch.allclose(model.add_noise(latent, timestep, noise), wanted, atol=2e-5)


def test_its_attention_agrees_with_a_slow_capture(model):
    """The reference makes every layer's map from its projections, outside of the engine."""
    request = AttentionRequest(timestep=100, text="cat", cross=True)
    found = run_attention_pass(model, GRAY, request)
    network, latent = model.network, model.encode(GRAY)
    names = [name for one in found.maps for name in one.layers]
    heads = {name: network.get_submodule(name).num_heads for name in names}
    slow = slow_maps(
        network, names, heads, lambda: model.denoise(latent, 100, model.embed_text("cat"))
    )
    assert [one.grid for one in found.self_maps] == [(8, 12), (4, 6)]
    assert [one.weights.shape for one in found.cross_maps] == [(96, 12), (24, 12)]
    assert {heads[name] for name in found.maps[0].layers} == {2}
    for one in found.maps:
        wanted = torch.stack([slow[name] for name in one.layers]).mean(0)
        assert (one.weights - wanted).abs().max() < 1e-4
        assert wanted.std() > 0.1 / wanted.shape[1], "the maps are too even to prove anything"


def test_full_precision_is_for_good(bundle):
    model = open_monai(bundle)
    for part in (model.network, model._autoencoder, model._text_encoder.network):
        part.half()
    assert model.dtype == torch.float16
    model.to_float32()
    assert model.encode(GRAY).dtype == model.embed_text("").states.dtype == torch.float32


@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
def test_other_files_of_weights_are_read(pipeline_folder, tmp_path, model, ending):
    other = open_monai(save_bundle(tmp_path / "other", pipeline_folder, ending=ending))
    assert torch.equal(other.encode(GRAY), model.encode(GRAY))


def test_dropout_of_training_is_left_out(copied, model):
    change_config(copied, diffusion_def={**NETWORK, "dropout_cattn": 0.9})
    latent, text = model.encode(GRAY), model.embed_text("cat")
    found = open_monai(copied).denoise(latent, 5, text)
    assert torch.equal(found, model.denoise(latent, 5, text))


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        ("models/autoencoder.pt", ["models/autoencoder.pt", "incomplete", "download"]),
        ("models/diffusion_model.pt", ["models/diffusion_model.pt", "incomplete"]),
        ("models", ["models/autoencoder.pt and models/diffusion_model.pt", "missing"]),
        ("tokenizer", ["tokenizer missing", "stable-diffusion-2-1-base"]),
        ("text_encoder", ["text_encoder missing", "stable-diffusion-2-1-base"]),
        ("tokenizer/vocab.json", ["tokenizer", "missing"]),
        ("text_encoder/model.safetensors", ["text encoder", "no safetensors file"]),
    ],
)
def test_an_incomplete_folder_is_named_with_what_is_missing(copied, gone, words):
    path = copied / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    refused(copied, *words)


def test_weights_of_another_network_are_refused(copied):
    save_weights(copied, "diffusion_model", build({**NETWORK, "channels": [8, 16, 32],
                 "num_head_channels": [0, 8, 32]}).state_dict())  # fmt: skip
    refused(copied, "DiffusionModelUNet", "do not belong to its settings", "size mismatch")
    save_weights(copied, "autoencoder", {"a": torch.zeros(1)})
    refused(copied, "AutoencoderKL", "do not belong to its settings", "Missing key")


def test_a_network_whose_levels_have_no_attention_has_it_in_the_middle(copied):
    plain = {**NETWORK, "attention_levels": [False] * 3}
    change_config(copied, diffusion_def=plain)
    refused(copied, "do not belong to its settings", "Unexpected key")
    save_weights(copied, "diffusion_model", build(plain).state_dict())
    found = run_attention_pass(open_monai(copied), GRAY, AttentionRequest(timestep=5))
    assert [(one.kind, one.grid) for one in found.maps] == [("self", (4, 6))]


def test_a_text_encoder_of_another_width_is_refused(copied):
    wide = {**NETWORK, "cross_attention_dim": 24}
    change_config(copied, diffusion_def=wide)
    save_weights(copied, "diffusion_model", build(wide).state_dict())
    refused(copied, "width 16", "reads 24", "different models")


def test_of_a_repository_one_copy_and_the_text_are_fetched():
    names = [
        "README.md", "configs/inference.json", "configs/metadata.json", "models/autoencoder.pt",
        "models/autoencoder.pth", "models/diffusion_model.pt", "models/diffusion_model.safetensors",
        "scripts/sampler.py", "docs/figure_1.png",
    ]  # fmt: skip
    own = [
        "configs/inference.json", "models/autoencoder.pt", "models/diffusion_model.safetensors",
    ]  # fmt: skip
    assert bundle_files(names) == own
    text = ["text_encoder/config.json", "text_encoder/model.safetensors", "tokenizer/merges.txt"]
    assert bundle_files([*names, *text, "unet/config.json"]) == [*own, *text]


def test_without_network_a_hub_id_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(tmp_path))
    told = pytest.importorskip("huggingface_hub.constants", reason="comes with diffusers")
    monkeypatch.setattr(told, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match=r"'nobody/nothing' could not be fetched .*local folder"):
        open_monai("nobody/nothing")
