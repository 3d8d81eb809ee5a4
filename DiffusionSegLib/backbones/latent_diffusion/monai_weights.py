"""A MONAI bundle's networks, filled with its weights, whatever MONAI's version that wrote them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from DiffusionSegLib.backbones.checkpoints import read_checkpoint
from DiffusionSegLib.backbones.latent_diffusion.libraries import optional_module
from DiffusionSegLib.backbones.latent_diffusion.parts import fill_network
from DiffusionSegLib.backbones.weights import read_safetensors
from DiffusionSegLib.errors import ModelError

__all__ = ["ENDINGS", "STEMS", "find_weights", "load_network"]

STEMS = {"AutoencoderKL": "models/autoencoder", "DiffusionModelUNet": "models/diffusion_model"}
ENDINGS = (".safetensors", ".pt", ".pth")  # in order of preference
_SINCE = "1.4"  # before, the networks were in a package of their own
_BROKEN = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError,
    NotImplementedError, RuntimeError,
)  # fmt: skip


def find_weights(folder: Path, kind: str) -> Path | None:
    """The file of a bundle's network; None when there is none."""
    files = [folder / f"{STEMS[kind]}{ending}" for ending in ENDINGS]
    return next((file for file in files if file.is_file()), None)


def load_network(
    kind: str, arguments: Mapping[str, Any], file: Path, dtype: torch.dtype
) -> nn.Module:
    """The network of that class of MONAI, frozen, on the CPU. Raises ModelError.

    It is built without memory for weights first, so that the file's are there only once.
    """
    build = _class(kind)
    weights = read_safetensors(file) if file.suffix == ".safetensors" else read_checkpoint(file)
    told = {**arguments, "use_flash_attention": True}
    if "dropout_cattn" in told:  # belongs to training, and MONAI's fused attention would not stop
        told["dropout_cattn"] = 0.0
    try:
        with torch.device("meta"):
            network: nn.Module = build(**told)
    except _BROKEN as error:
        raise ModelError(
            f"The settings of {kind} for {file} describe no network that can be built: {error}"
        ) from error
    cast = {name: value.to(dtype) for name, value in weights.items()}
    fill_network(network, _new_names(kind, cast, network.state_dict()), f"{kind} in {file}")
    return network.eval().requires_grad_(False)


def _class(kind: str) -> Any:
    optional_module("einops")  # MONAI's attention needs it and does not ask for it
    found = getattr(optional_module("monai.networks.nets"), kind, None)
    if found is None:
        raise ModelError(
            f"This MONAI has no {kind}; version {_SINCE} or newer is needed. "
            "Install it with: pip install -U monai"
        )
    return found


def _new_names(
    kind: str, weights: Mapping[str, Tensor], wanted: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """The weights by the names of today's classes.

    Those that MONAI's GenerativeModels wrote differ: upsampling convolutions, the projections
    behind attention, and in the autoencoder a projection that was stored and never used. MONAI's
    own `load_old_state_dict` does the same, but leaves what is missing at random.
    """
    if set(weights) == set(wanted):
        return dict(weights)
    left = dict(weights)
    found: dict[str, Tensor] = {}
    for name in wanted:
        place = next((one for one in _old_names(kind, name) if one in left), None)
        if place is not None:
            found[name] = left.pop(place)
    if kind == "AutoencoderKL":
        _drop_unused(left, found, wanted)
    return {**found, **left}  # what is left over is of another network, which is said


def _old_names(kind: str, name: str) -> Sequence[str]:
    changes: dict[str, Sequence[Callable[[str], str]]] = {
        "AutoencoderKL": (lambda one: one.replace(".attn.to_", ".to_"),),
        "DiffusionModelUNet": (lambda one: one.replace(".out_proj.", ".to_out.0."),),
    }
    return [name, name.replace("postconv", "conv"), *(change(name) for change in changes[kind])]


def _drop_unused(
    left: dict[str, Tensor], found: dict[str, Tensor], wanted: Mapping[str, Tensor]
) -> None:
    """Attention was not projected; today's class does nothing when it multiplies by one."""
    for name in [one for one in wanted if ".attn.out_proj." in one and one not in found]:
        old = left.pop(name.replace(".attn.out_proj.", ".proj_attn."), None)
        if old is not None:
            found[name] = torch.eye(len(old)).to(old) if old.ndim == 2 else torch.zeros_like(old)
