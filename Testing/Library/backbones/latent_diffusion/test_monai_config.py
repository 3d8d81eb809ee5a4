import json

import pytest
import torch

from DiffusionSegLib.backbones.latent_diffusion.monai_config import read_config
from DiffusionSegLib.backbones.latent_diffusion.noise import ForwardProcess
from DiffusionSegLib.errors import ModelError
from Testing.Library.backbones.latent_diffusion.tiny_monai import (
    AUTOENCODER,
    NETWORK,
    SCHEDULER,
    change_config,
)


@pytest.fixture
def folder(tmp_path):
    change_config(tmp_path, autoencoder_def=AUTOENCODER, diffusion_def=NETWORK, scheduler=SCHEDULER)
    return tmp_path


def test_without_a_file_it_is_the_published_model(tmp_path):
    """4 607 848 and 263 636 995 weights in 162 and 496 tensors, as in the published files."""
    from monai.networks.nets import AutoencoderKL, DiffusionModelUNet

    config = read_config(tmp_path)
    with torch.device("meta"):
        networks = (AutoencoderKL(**config.autoencoder), DiffusionModelUNet(**config.network))
    assert [sum(p.numel() for p in one.parameters()) for one in networks] == [4607848, 263636995]
    assert [len(one.state_dict()) for one in networks] == [162, 496]
    assert (config.text_width, config.latent_scale) == (1024, 0.3)
    # Scaled linear: the square roots of beta are evenly spaced between those of its ends.
    middle = ((0.0015**0.5 * 499 + 0.0205**0.5 * 500) / 999) ** 2
    signal = ForwardProcess(config.schedule).signal
    assert float(1 - (signal[500] / signal[499]) ** 2) == pytest.approx(middle)
    assert len(signal) == 1000


def test_names_of_old_bundles_and_references_are_read(folder):
    old = {**AUTOENCODER, "_target_": "generative.networks.nets.AutoencoderKL"}
    old["num_channels"] = old.pop("channels")
    old["in_channels"] = "@image_channels"
    schedule = {"beta_start": 0.0015, "beta_end": 0.0205, "beta_schedule": "scaled_linear"}
    change_config(
        folder, autoencoder_def=old, image_channels=1, scheduler=schedule, scale_factor=0.5
    )
    config = read_config(folder)
    assert config.autoencoder["channels"] == [8, 8, 8]
    assert config.autoencoder["in_channels"] == 1
    assert not [name for name in config.autoencoder if name.startswith("_")]
    assert config.latent_scale == 0.5
    assert config.schedule == {**schedule, "num_train_timesteps": 1000}


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"autoencoder_def": {**AUTOENCODER, "_target_": "monai.networks.nets.VQVAE"}}, "VQVAE"),
        ({"diffusion_def": {**NETWORK, "_target_": "monai.networks.nets.UNet"}}, "is a .*UNet"),
        ({"diffusion_def": None}, "is a nothing"),
        ({"diffusion_def": {**NETWORK, "spatial_dims": 3}}, "2D pictures"),
        ({"diffusion_def": {**NETWORK, "in_channels": 4}}, "gives 3 channels.*reads 4"),
        ({"diffusion_def": {**NETWORK, "with_conditioning": False}}, "reads no text"),
        ({"diffusion_def": {**NETWORK, "cross_attention_dim": None}}, "reads no text"),
        ({"diffusion_def": {**NETWORK, "in_channels": "$__import__('os')"}}, "nothing .* is run"),
        ({"diffusion_def": {**NETWORK, "in_channels": "@lost"}}, "@lost"),
        ({"diffusion_def": {**NETWORK, "channels": 8}}, "channels"),
        ({"scheduler": None}, "no scheduler"),
        ({"scheduler": {**SCHEDULER, "beta_start": -1.0}}, "between 0 and 1"),
        ({"scheduler": {**SCHEDULER, "beta_end": "much"}}, "between 0 and 1"),
        ({"scheduler": {**SCHEDULER, "num_train_timesteps": 0}}, "several timesteps"),
        ({"scale_factor": 0}, "scale_factor"),
        ({"scale_factor": "a"}, "scale_factor"),
    ],
)
def test_unusable_settings_are_sentences(folder, change, word):
    change_config(folder, **change)
    with pytest.raises(ModelError, match=word):
        read_config(folder)


@pytest.mark.parametrize("content", ["{", "[]", json.dumps("text")])
def test_a_file_that_holds_no_settings_is_refused(folder, content):
    (folder / "configs" / "inference.json").write_text(content)
    with pytest.raises(ModelError, match=r"inference\.json"):
        read_config(folder)
