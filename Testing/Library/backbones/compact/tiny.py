"""A compact model with few weights, written as a model folder."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from DiffusionSegLib.backbones.compact.autoencoder import Autoencoder
from DiffusionSegLib.backbones.compact.config import (
    AutoencoderConfig,
    CompactConfig,
    DenoiserConfig,
)
from DiffusionSegLib.backbones.compact.denoiser import Denoiser
from DiffusionSegLib.backbones.compact.model import CompactDiffusion, open_compact
from DiffusionSegLib.backbones.manifest import read_manifest
from DiffusionSegLib.backbones.store import file_sha256
from Testing.Library.reference.awake import awake

TOKENS, WIDTH = 5, 384


def tiny_config() -> CompactConfig:
    return CompactConfig(
        AutoencoderConfig(channels=(4, 8, 16), blocks=(1, 1), groups=4),
        DenoiserConfig(
            channels=(8, 16, 16), blocks=(1, 2, 1), attention=(1, 2), head_width=8, time_width=16,
            groups=4, text_width=WIDTH,
        ),
        latent_scale=2.0,
        text_length=TOKENS,
    )  # fmt: skip


def tiny_networks(seed: int = 0) -> tuple[Autoencoder, Denoiser]:
    """With weights that are nowhere zero."""
    config = tiny_config()
    return awake(Autoencoder(config.autoencoder), seed), awake(Denoiser(config.denoiser), seed)


def write_model(folder: Path, networks: tuple[nn.Module, nn.Module] | None = None) -> Path:
    """The folder of a model as the export writes it, but in float32."""
    folder.mkdir(parents=True, exist_ok=True)
    states = torch.randn(1, TOKENS, WIDTH, generator=torch.Generator().manual_seed(7))
    weights = {"empty_text": states}
    for part, network in zip(("autoencoder", "denoiser"), networks or tiny_networks(), strict=True):
        weights |= {f"{part}.{key}": value for key, value in network.state_dict().items()}
    save_file(weights, str(folder / "weights.safetensors"))
    write_card(folder)
    return folder


def write_card(folder: Path, **changes: object) -> None:
    file = folder / "weights.safetensors"
    entry = {
        "method": "backbone", "name": "tiny", "title": "Tiny", "summary": "", "modality": [],
        "licence": {"name": "CC0"}, "citation": "", "attribution": "", "inputs": [], "labels": [],
        "settings": tiny_config().to_dict(),
        "files": [{
            "path": file.name, "size": file.stat().st_size, "sha256": file_sha256(file),
        }],
    }  # fmt: skip
    (folder / "model.json").write_text(json.dumps(entry | changes))


def open_tiny(folder: Path) -> CompactDiffusion:
    return open_compact(read_manifest(folder / "model.json"))
