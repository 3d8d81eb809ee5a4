"""Builds a pipeline's networks from their settings and fills in the weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from DiffusionSegLib.backbones.latent_diffusion.folder import CLASSES, PipelineFolder
from DiffusionSegLib.backbones.latent_diffusion.libraries import optional_module
from DiffusionSegLib.backbones.weights import read_safetensors
from DiffusionSegLib.errors import ModelError

__all__ = ["fill_network", "load_part"]

_MODULES = {
    "unet": "diffusers.models.unets.unet_2d_condition",
    "vae": "diffusers.models.autoencoders.autoencoder_kl",
}
# Stable Diffusion 1's files name the autoencoder's attention as diffusers did at first.
_OLD_NAMES = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}


def load_part(folder: PipelineFolder, part: str, dtype: torch.dtype) -> nn.Module:
    """The network of ``part`` ("unet" or "vae"), frozen, on the CPU. Raises ModelError.

    It is built without memory for weights first, so that the file's are there only once.
    """
    kind = getattr(optional_module(_MODULES[part]), CLASSES[part])
    weights: dict[str, Tensor] = {}
    for file in folder.weights(part, prefer_half=dtype != torch.float32):
        weights.update(read_safetensors(file))
    weights = {_new_name(name): value.to(dtype) for name, value in weights.items()}
    try:
        with torch.device("meta"):
            network: nn.Module = kind.from_config(dict(folder.config(part)))
    except (ValueError, TypeError, KeyError, NotImplementedError) as error:
        raise ModelError(
            f"The settings of {part} in {folder.path} describe no network that can be built: "
            f"{error}"
        ) from error
    fill_network(network, _shaped(network, weights), f"{part} in {folder.path}")
    return network.eval().requires_grad_(False)


def _new_name(name: str) -> str:
    """Of a weight, as today's classes name it."""
    parts = name.split(".")
    if len(parts) > 2 and "attentions" in parts and parts[-2] in _OLD_NAMES:
        parts[-2] = _OLD_NAMES[parts[-2]]
    return ".".join(parts)


def _shaped(network: nn.Module, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Old files keep matrices as 1 x 1 convolutions; the numbers are the same."""
    wanted: Mapping[str, Any] = network.state_dict()
    return {
        name: value.reshape(wanted[name].shape)
        if name in wanted
        and value.ndim > wanted[name].ndim
        and value.numel() == wanted[name].numel()
        else value
        for name, value in weights.items()
    }


def fill_network(network: nn.Module, weights: Mapping[str, Tensor], what: str) -> None:
    """Put the weights in place of a network's own, all of them; raises ModelError."""
    try:
        network.load_state_dict(weights, strict=True, assign=True)
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines()[1:]]
        first = lines[0][:200] if lines else str(error)
        raise ModelError(f"The weights of {what} do not belong to its settings: {first}") from error
