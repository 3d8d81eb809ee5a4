"""A MAISI model in miniature, with random weights, built by MONAI and stored as published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from DiffusionSegLib.backbones.maisi.model import Maisi
from DiffusionSegLib.backbones.maisi.opening import open_maisi
from DiffusionSegLib.backbones.maisi.variants import Variant, find_variant
from DiffusionSegLib.backbones.store import ModelStore
from Testing.Library.reference.awake import awake

CONFIG: dict[str, Any] = {
    "autoencoder": {"channels": [8, 16, 16], "groups": 4},
    "denoiser": {
        "channels": [8, 8, 16, 16], "res_blocks": 1, "head_channels": [0, 0, 8, 8], "groups": 4,
        "classes": 40,
    },
}  # fmt: skip
SCALE = 1.25


def config_of(name: str) -> dict[str, Any]:
    """Without modality codes for the variant that has none."""
    denoiser = dict(CONFIG["denoiser"])
    if name == "ddpm-ct":
        denoiser["classes"] = 0
    return {"autoencoder": CONFIG["autoencoder"], "denoiser": denoiser}


def tiny_variant(name: str) -> Variant:
    return find_variant(name).changed(config_of(name))


def monai_networks(variant: Variant) -> tuple[Any, Any]:
    """Autoencoder and denoiser as MONAI builds them, in memory, with weights zero nowhere."""
    from monai.apps.generation.maisi.networks.autoencoderkl_maisi import AutoencoderKlMaisi
    from monai.apps.generation.maisi.networks.diffusion_model_unet_maisi import (
        DiffusionModelUNetMaisi,
    )

    autoencoder = AutoencoderKlMaisi(**variant.autoencoder.arguments(norm_float16=False))
    denoiser = DiffusionModelUNetMaisi(**variant.denoiser.arguments(4))
    return awake(autoencoder, 0), awake(denoiser, 1, gain=1.5)


def save_maisi(folder: Path, name: str, scale: Any = SCALE) -> Path:
    """models/ as a download has it: the denoiser with its training run's numbers around it."""
    variant = tiny_variant(name)
    autoencoder, denoiser = monai_networks(variant)
    (folder / "models").mkdir(parents=True)
    torch.save(autoencoder.state_dict(), folder / variant.autoencoder_file.path)
    content = {
        "epoch": 3, "loss": 0.5, "num_train_timesteps": 1000,
        "scale_factor": torch.tensor(scale) if isinstance(scale, float) else scale,
        "unet_state_dict": denoiser.state_dict(),
    }  # fmt: skip
    torch.save(content, folder / variant.denoiser_file.path)
    return folder


def open_tiny(folder: Path, name: str, **changes: Any) -> Maisi:
    settings = {"kind": "maisi", "variant": name, "source": str(folder), "config": config_of(name)}
    return open_maisi({**settings, **changes}, "cpu", ModelStore(()), None)
