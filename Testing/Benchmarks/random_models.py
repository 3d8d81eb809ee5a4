"""The public models' networks at full published size, with random numbers for weights.

Memory and time of a network do not depend on the numbers in it, so that what a card costs can be
measured without the gigabytes of its weights. Folders are as a download has them, and beside each
is a copy of the card that names it. Sources of the sizes: each model's published configuration.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from DiffusionSegLib.backbones.latent_diffusion.monai_config import read_config
from DiffusionSegLib.backbones.maisi.networks import WRAPPING, build_autoencoder, build_denoiser
from DiffusionSegLib.backbones.maisi.variants import find_variant
from DiffusionSegLib.backbones.store import ModelStore

__all__ = ["BACKBONE", "parts_of", "write_random"]

BACKBONE = "backbone"  # the folder of weights beside the copied card
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_UNET_1: Mapping[str, Any] = {
    "sample_size": 64, "block_out_channels": (320, 640, 1280, 1280), "layers_per_block": 2,
    "cross_attention_dim": 768, "attention_head_dim": 8,
}  # fmt: skip
_UNET_2: Mapping[str, Any] = {
    **_UNET_1, "cross_attention_dim": 1024, "attention_head_dim": [5, 10, 20, 20],
    "use_linear_projection": True,
}  # fmt: skip
_VAE: Mapping[str, Any] = {
    "sample_size": 512, "block_out_channels": (128, 256, 512, 512), "layers_per_block": 2,
    "down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4,
    "latent_channels": 4,
}  # fmt: skip
_CLIP_L: Mapping[str, Any] = {
    "vocab_size": 49408, "hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12,
    "num_attention_heads": 12, "max_position_embeddings": 77,
}  # fmt: skip
_CLIP_H: Mapping[str, Any] = {
    **_CLIP_L, "hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 23,
    "num_attention_heads": 16, "hidden_act": "gelu",
}  # fmt: skip
_TUNED_ON_BERT = "cxr-bert-ldm"
_SECOND = "stable-diffusion-2-1-base"


def parts_of(model: str) -> dict[str, Any]:
    """Of a card (method/name) the networks by name, without memory for their weights."""
    card = _card(model)
    backbone = card["settings"]["backbone"]
    if backbone["kind"] == "maisi":
        variant = find_variant(backbone["variant"])
        latent = variant.autoencoder.latent_channels
        return {
            "autoencoder": build_autoencoder(variant.autoencoder),
            "denoiser": build_denoiser(variant.denoiser, latent),
        }
    with torch.device("meta"):
        if backbone["kind"] == "monai":
            return {**_monai_parts(), "text_encoder": _clip(_CLIP_H)}
        return _pipeline_parts(model.partition("/")[2])


def write_random(model: str, folder: Path, seed: int = 0) -> Path:
    """Weights and a copy of the card in ``folder``/<method>/<name>, which is the result."""
    card = _card(model)
    place = folder / card["method"] / card["name"]
    weights = place / BACKBONE
    weights.mkdir(parents=True)
    kind = card["settings"]["backbone"]["kind"]
    written: dict[str, Callable[[str, Path, int], None]] = {
        "pipeline": _write_pipeline, "monai": _write_monai, "maisi": _write_maisi,
    }  # fmt: skip
    written[kind](model, weights, seed)
    card["settings"]["backbone"]["source"] = BACKBONE
    kept = {name: value for name, value in card.items() if name not in ("costs", "pins", "sources")}
    (place / "model.json").write_text(json.dumps(kept), "utf-8")
    return place


def _card(model: str) -> dict[str, Any]:
    method, _, name = model.partition("/")
    file = ModelStore().find(method, name).folder / "model.json"
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found


def _monai_parts() -> dict[str, Any]:
    from monai.networks import nets

    config = read_config(Path("absent"))  # the published one
    return {
        "autoencoder": nets.AutoencoderKL(**config.autoencoder),
        "diffusion_model": nets.DiffusionModelUNet(**config.network),
    }


def _pipeline_parts(name: str) -> dict[str, Any]:
    from diffusers import AutoencoderKL, UNet2DConditionModel

    second = name == _SECOND
    text = _bert() if name == _TUNED_ON_BERT else _clip(_CLIP_H if second else _CLIP_L)
    return {
        "unet": UNet2DConditionModel(**(_UNET_2 if second else _UNET_1)),
        "vae": AutoencoderKL(**_VAE),
        "text_encoder": text,
    }


def _clip(sizes: Mapping[str, Any]) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel

    return CLIPTextModel(CLIPTextConfig(**sizes))


def _bert() -> Any:
    from transformers import BertConfig, BertModel

    return BertModel(BertConfig())


def _filled(network: Any, seed: int) -> Any:
    """Weights that keep signals of size one, so that attention is not even; norms do nothing."""
    network = network.to_empty(device="cpu")
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for buffer in network.buffers():
            buffer.zero_()
        for name, weight in network.named_parameters():
            if weight.ndim > 1:
                fan_in = math.prod(weight.shape[1:])
                weight.normal_(generator=rng).div_(math.sqrt(fan_in))
            else:
                weight.fill_(0.0 if name.endswith("bias") else 1.0)
    return network.eval().requires_grad_(False)


def _write_pipeline(model: str, folder: Path, seed: int) -> None:
    for part, network in parts_of(model).items():
        _filled(network, seed).save_pretrained(folder / part)
    from diffusers import DDIMScheduler

    DDIMScheduler(beta_schedule="scaled_linear").save_pretrained(folder / "scheduler")
    if model.endswith(_TUNED_ON_BERT):
        file = folder / "text_encoder" / "config.json"
        told = json.loads(file.read_text("utf-8")) | {"model_type": "cxr-bert"}
        file.write_text(json.dumps(told), "utf-8")
        _write_word_pieces(folder / "tokenizer")
    else:
        _write_letters(folder / "tokenizer")


def _write_monai(model: str, folder: Path, seed: int) -> None:
    (folder / "models").mkdir()
    for part, network in parts_of(model).items():
        if part == "text_encoder":
            _filled(network, seed).save_pretrained(folder / part)
        else:
            torch.save(_filled(network, seed).state_dict(), folder / "models" / f"{part}.pt")
    _write_letters(folder / "tokenizer")


def _write_maisi(model: str, folder: Path, seed: int) -> None:
    variant = find_variant(_card(model)["settings"]["backbone"]["variant"])
    parts = {name: _filled(one, seed).state_dict() for name, one in parts_of(model).items()}
    (folder / "models").mkdir()
    torch.save(parts["autoencoder"], folder / variant.autoencoder_file.path)
    content = {WRAPPING: parts["denoiser"], "scale_factor": torch.tensor(1.0)}
    torch.save(content, folder / variant.denoiser_file.path)


def _write_letters(folder: Path) -> None:
    """CLIP's tokenizer with a token a letter; what words mean is random anyway."""
    folder.mkdir()
    words = [*_LETTERS, *(f"{letter}</w>" for letter in _LETTERS)]
    numbers = {word: n for n, word in enumerate([*words, "<|startoftext|>", "<|endoftext|>"])}
    (folder / "vocab.json").write_text(json.dumps(numbers), "utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n", "utf-8")
    told = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77}
    (folder / "tokenizer_config.json").write_text(json.dumps(told), "utf-8")


def _write_word_pieces(folder: Path) -> None:
    """BERT's, likewise."""
    folder.mkdir()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = [*special, *_LETTERS, *(f"##{letter}" for letter in _LETTERS)]
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n", "utf-8")
    told = {"tokenizer_class": "BertTokenizer", "model_max_length": 512}
    (folder / "tokenizer_config.json").write_text(json.dumps(told), "utf-8")
