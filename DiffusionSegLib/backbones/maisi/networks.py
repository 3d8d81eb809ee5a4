"""MAISI's networks as MONAI builds them, filled with the published weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from DiffusionSegLib.backbones.checkpoints import read_trained_checkpoint
from DiffusionSegLib.backbones.latent_diffusion.libraries import optional_module
from DiffusionSegLib.backbones.latent_diffusion.parts import fill_network
from DiffusionSegLib.backbones.maisi.variants import AutoencoderConfig, DenoiserConfig
from DiffusionSegLib.backbones.weights import read_safetensors
from DiffusionSegLib.errors import ModelError

__all__ = [
    "SCALE", "WRAPPING", "Stored", "build_autoencoder", "build_denoiser", "fill", "read_stored",
]  # fmt: skip

WRAPPING = (
    "unet_state_dict"  # under which the published checkpoints keep the weights, both networks
)
SCALE = "scale_factor"
_ROOM = "monai.apps.generation.maisi.networks"
_BROKEN = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError,
    NotImplementedError, RuntimeError,
)  # fmt: skip


@dataclass(frozen=True)
class Stored:
    """What a file of weights holds. scale: of the latent, None when the file does not say."""

    weights: Mapping[str, Tensor]
    scale: float | None = None


def read_stored(file: Path) -> Stored:
    """A .safetensors file, or a .pt with nothing but tensors and numbers. Raises ModelError."""
    if file.suffix == ".safetensors":
        weights = read_safetensors(file)
        scale = weights.pop(SCALE, None)
        return Stored(weights, None if scale is None else float(scale.mean()))
    # What training runs keep beside the weights may be of MONAI's kind of tensor.
    optional_module("monai.data.meta_tensor")
    found = read_trained_checkpoint(file, WRAPPING)
    return Stored(found.weights, found.numbers.get(SCALE))


def build_autoencoder(config: AutoencoderConfig, dtype: torch.dtype = torch.float32) -> Any:
    """AutoencoderKlMaisi without memory for weights; its normalization is in the same arithmetic.

    Raises ModelError for settings that describe no network, and without MONAI.
    """
    build = _class("autoencoderkl_maisi", "AutoencoderKlMaisi")
    return _built(build, config.arguments(norm_float16=dtype == torch.float16))


def build_denoiser(config: DenoiserConfig, latent_channels: int) -> Any:
    """DiffusionModelUNetMaisi without memory for weights; raises ModelError.

    Its attention never holds all pairs of places in memory, on a CPU neither: MONAI allows that on
    a GPU only, but torch can do it anywhere.
    """
    build = _class("diffusion_model_unet_maisi", "DiffusionModelUNetMaisi")
    network = _built(build, config.arguments(latent_channels))
    for layer in network.modules():
        if hasattr(layer, "use_flash_attention"):
            layer.use_flash_attention = True
    return network


def fill(network: nn.Module, stored: Stored, dtype: torch.dtype, what: str) -> None:
    """Put the weights in place, frozen, in the arithmetic ``dtype``. Raises ModelError.

    ddpm-ct's checkpoint has projections behind attention that its network never used; the authors'
    own code drops them too, with everything else that does not fit, which is an error here.
    """
    wanted = network.state_dict()
    weights = {
        name: value.to(dtype)
        for name, value in stored.weights.items()
        if name in wanted or ".attn.out_proj." not in name
    }
    fill_network(network, weights, what)
    network.eval().requires_grad_(False)


def _built(build: Any, arguments: Mapping[str, Any]) -> Any:
    try:
        with torch.device("meta"):
            return build(**arguments)
    except _BROKEN as error:
        raise ModelError(
            f"The config of the MAISI model describes no network that can be built: {error}"
        ) from error


def _class(module: str, name: str) -> Any:
    optional_module("einops")  # MONAI's attention needs it and does not ask for it
    return getattr(optional_module(f"{_ROOM}.{module}"), name)
