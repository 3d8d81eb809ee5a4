"""Everything that can be wrong with a model's folder is one sentence."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from DiffusionSegLib.backbones.latent_diffusion.libraries import optional_module
from DiffusionSegLib.backbones.latent_diffusion.pipeline import open_pipeline
from DiffusionSegLib.errors import ModelError
from Testing.Library.backbones.latent_diffusion.tiny import tiny_unet

WEIGHTS = "diffusion_pytorch_model.safetensors"


@pytest.fixture
def folder(pipeline_folder, tmp_path):
    return shutil.copytree(pipeline_folder, tmp_path / "model")


def refused(folder, *words: str) -> None:
    with pytest.raises(ModelError) as caught:
        open_pipeline(folder)
    told = str(caught.value)
    assert all(word in told for word in (*words, str(folder))), told


@pytest.mark.parametrize("part", ["unet", "vae"])
def test_a_part_is_missing(folder, part):
    shutil.rmtree(folder / part)
    refused(folder, f"{part}/config.json missing", "download it again")


@pytest.mark.parametrize("part", ["unet", "vae"])
def test_weights_are_missing(folder, part):
    (folder / part / WEIGHTS).unlink()
    refused(folder, f"{part}/{WEIGHTS} missing")


def test_pickled_weights_are_not_opened(folder):
    (folder / "vae" / WEIGHTS).rename(folder / "vae" / "diffusion_pytorch_model.bin")
    refused(folder, "a pickle", "not opened")


def test_a_pickle_under_another_name_is_not_opened(folder):
    torch.save({"a": torch.zeros(1)}, folder / "vae" / WEIGHTS)
    refused(folder, "is a pickle")


def test_weights_are_cut_off(folder):
    file = folder / "unet" / WEIGHTS
    file.write_bytes(file.read_bytes()[:-1000])
    refused(folder, "damaged")


def test_weights_of_another_network(folder):
    tiny_unet(cross_attention_dim=24).save_pretrained(folder / "other")
    shutil.copy(folder / "other" / WEIGHTS, folder / "unet" / WEIGHTS)
    refused(folder, "do not belong to its settings", "size mismatch")
    file = folder / "vae" / WEIGHTS
    weights = load_file(file)
    weights.pop("encoder.conv_in.weight")
    save_file(weights, file)
    shutil.copytree(folder / "other", folder / "unet", dirs_exist_ok=True)
    refused(folder, "do not belong", "encoder.conv_in.weight")


def test_settings_are_no_settings(folder):
    (folder / "unet" / "config.json").write_text("{")
    refused(folder, "cannot be read as JSON")
    (folder / "unet" / "config.json").write_text("[]")
    refused(folder, "does not hold settings")


@pytest.mark.parametrize(
    ("part", "kind"),
    [("unet", "UNet2DModel"), ("vae", "VQModel"), ("unet", "SD3Transformer2DModel")],
)
def test_networks_of_another_kind(folder, part, kind):
    file = folder / part / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "_class_name": kind}))
    refused(folder, f"{part} of", kind, "is needed")


def test_settings_that_describe_no_network(folder):
    file = folder / "unet" / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "up_block_types": ["NoBlock"]}))
    refused(folder, "no network that can be built")


def test_a_network_without_attention(folder):
    plain = tiny_unet(
        down_block_types=("DownBlock2D",) * 3, up_block_types=("UpBlock2D",) * 3,
        mid_block_type=None,
    )  # fmt: skip
    plain.save_pretrained(folder / "unet")
    refused(folder, "no self-attention")


def test_the_tokenizer_or_the_text_encoder_is_missing(folder):
    shutil.move(folder / "tokenizer", folder / "aside")
    refused(folder, "tokenizer", "missing", "if only an empty one")
    shutil.move(folder / "aside", folder / "tokenizer")
    (folder / "text_encoder" / "model.safetensors").rename(folder / "text_encoder" / "model.bin")
    refused(folder, "text encoder", "no safetensors file")
    shutil.rmtree(folder / "text_encoder")
    refused(folder, "text encoder", "missing")


def test_the_text_encoder_is_damaged_or_of_another_model(folder):
    tiny_unet(cross_attention_dim=24).save_pretrained(folder / "unet")
    refused(folder, "width 16", "reads 24", "different models")
    file = folder / "text_encoder" / "model.safetensors"
    weights = load_file(file)
    gone = next(name for name in weights if name.endswith("layers.1.mlp.fc1.weight"))
    weights.pop(gone)
    save_file(weights, file, metadata={"format": "pt"})
    refused(folder, "lack", "layers.1.mlp.fc1.weight")
    (folder / "text_encoder" / "config.json").write_text("{")
    refused(folder, "cannot be read as JSON")


def test_the_tokenizer_is_damaged(folder):
    (folder / "tokenizer" / "vocab.json").write_text("{")
    refused(folder, "tokenizer", "damaged", "cannot be opened")


def test_the_text_encoder_is_cut_off(folder):
    file = folder / "text_encoder" / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-500])
    refused(folder, "text encoder", "cannot be opened")


def test_an_absent_library_is_named_with_what_to_do():
    with pytest.raises(ModelError, match=r"package no_such_library.*DiffusionSeg\[hub\]"):
        optional_module("no_such_library.part")
