"""A pipeline folder in miniature, with random weights, built and saved by the real libraries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

LETTERS = "abcdefghijklmnopqrstuvwxyz"
TEXT_LENGTH = 12
UNET: dict[str, Any] = {
    "sample_size": 16,
    "in_channels": 4,
    "out_channels": 4,
    "layers_per_block": 1,
    "block_out_channels": (16, 32, 32),
    "down_block_types": ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
    "cross_attention_dim": 16,
    "attention_head_dim": 4,
    "norm_num_groups": 4,
}
VAE: dict[str, Any] = {
    "block_out_channels": (8, 8, 8),
    "down_block_types": ("DownEncoderBlock2D",) * 3,
    "up_block_types": ("UpDecoderBlock2D",) * 3,
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "latent_channels": 4,
}


def tiny_unet(seed: int = 0, **changes: Any) -> Any:
    from diffusers import UNet2DConditionModel

    torch.manual_seed(seed)
    return UNet2DConditionModel(**{**UNET, **changes}).eval().requires_grad_(False)


def save_pipeline(folder: Path) -> Path:
    """unet, vae, text_encoder, tokenizer and scheduler, as a download has them."""
    from diffusers import AutoencoderKL, DDIMScheduler
    from transformers import CLIPTextConfig, CLIPTextModel

    tiny_unet().save_pretrained(folder / "unet")
    AutoencoderKL(**VAE).save_pretrained(folder / "vae")
    config = CLIPTextConfig(
        vocab_size=len(_vocabulary()), hidden_size=16, intermediate_size=16, num_hidden_layers=2,
        num_attention_heads=2, max_position_embeddings=TEXT_LENGTH,
        bos_token_id=52, eos_token_id=53, pad_token_id=53,
    )  # fmt: skip
    CLIPTextModel(config).save_pretrained(folder / "text_encoder")
    DDIMScheduler(beta_schedule="scaled_linear").save_pretrained(folder / "scheduler")
    words = folder / "tokenizer"
    words.mkdir()
    (words / "vocab.json").write_text(json.dumps(_vocabulary()))
    (words / "merges.txt").write_text("#version: 0.2\n")
    told = {"tokenizer_class": "CLIPTokenizer", "model_max_length": TEXT_LENGTH}
    (words / "tokenizer_config.json").write_text(json.dumps(told))
    return folder


def _vocabulary() -> dict[str, int]:
    """One token a letter, within and at the end of a word."""
    words = [*LETTERS, *(f"{letter}</w>" for letter in LETTERS)]
    return {
        word: number for number, word in enumerate([*words, "<|startoftext|>", "<|endoftext|>"])
    }


def image(rows: int = 64, columns: int = 64, seed: int = 0) -> torch.Tensor:
    """(1, 3, rows, columns) in [-1, 1]: a disk on a ramp."""
    rng = torch.Generator().manual_seed(seed)
    y, x = torch.meshgrid(
        torch.linspace(-1, 1, rows), torch.linspace(-1, 1, columns), indexing="ij"
    )
    disk = (x**2 + y**2 < 0.3).float()
    noise = 0.05 * torch.randn(3, rows, columns, generator=rng)
    return (0.5 * disk + 0.3 * x + noise).clamp(-1, 1)[None]
