from pathlib import Path

import pytest

from DiffusionSegLib.backbones.latent_diffusion.hub import find_model, wanted_files
from DiffusionSegLib.errors import ModelError

COMMON = [
    "README.md", "model_index.json", "tokenizer/vocab.json", "tokenizer/merges.txt",
    "scheduler/scheduler_config.json", "text_encoder/config.json", "unet/config.json",
    "vae/config.json", "v1-5-pruned.safetensors", "safety_checker/model.safetensors",
    "text_encoder/pytorch_model.bin", "unet/diffusion_pytorch_model.bin",
]  # fmt: skip
STEM = "diffusion_pytorch_model"


def full(ending: str) -> list[str]:
    parts = [f"{part}/{STEM}{ending}" for part in ("unet", "vae")]
    return [*parts, f"text_encoder/model{ending}"]


def weights(found: list[str]) -> list[str]:
    return [name for name in found if name.endswith(".safetensors")]


def test_a_folder_is_itself(tmp_path):
    assert find_model(tmp_path) == tmp_path
    assert find_model(str(tmp_path)) == tmp_path


@pytest.mark.parametrize("given", ["no/such/folder", "../x", "name", Path("some/where"), "a/b c"])
def test_what_is_neither_folder_nor_hub_id_is_named(given, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")  # nothing lies beside it
    with pytest.raises(ModelError, match=r"no model folder .*organization/name"):
        find_model(given)


def test_one_safe_copy_of_the_weights_is_fetched():
    names = [*COMMON, *full(".safetensors"), *full(".fp16.safetensors")]
    found = wanted_files(names)
    assert weights(found) == sorted(full(".safetensors"))
    assert not [name for name in found if name.endswith((".bin", ".md")) or "safety" in name]
    assert {"model_index.json", "tokenizer/merges.txt", "unet/config.json"} <= set(found)
    half = [name for name in weights(wanted_files(names, prefer_half=True)) if "text" not in name]
    assert half == sorted(full(".fp16.safetensors")[:2])


def test_what_a_mirror_has_is_taken():
    assert weights(wanted_files([*COMMON, *full(".fp16.safetensors")])) == sorted(
        full(".fp16.safetensors")
    )
    shards = [f"unet/{STEM}-0000{n}-of-00002.safetensors" for n in (1, 2)]
    index = f"unet/{STEM}.safetensors.index.json"
    found = wanted_files([*COMMON, index, *shards])
    assert weights(found) == shards and index in found


def test_without_network_it_says_so(monkeypatch, tmp_path):
    """Offline mode of the real library: nothing is asked of any machine."""
    monkeypatch.setenv("DIFFUSIONSEG_MODELS", str(tmp_path))
    told = pytest.importorskip("huggingface_hub.constants", reason="comes with diffusers")
    monkeypatch.setattr(told, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match=r"'nobody/nothing' could not be fetched .*local folder"):
        find_model("nobody/nothing")
