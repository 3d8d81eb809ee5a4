"""What a MONAI bundle's inference.json says of its networks and of its noise schedule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from DiffusionSegLib.backbones.latent_diffusion.folder import read_json
from DiffusionSegLib.errors import ModelError

__all__ = ["CONFIG", "MonaiConfig", "read_config"]

CONFIG = "configs/inference.json"
_CLASSES = {"autoencoder_def": "AutoencoderKL", "diffusion_def": "DiffusionModelUNet"}
_RENAMED = {"num_channels": "channels"}  # since the networks became part of MONAI itself
_MOST_TIMESTEPS = 100_000
_SCALE = 0.3  # of the latent, as the published bundle's scripts/sampler.py divides by it

# configs/inference.json of MONAI's cxr_image_synthesis_latent_diffusion_model 1.0, in part.
_PUBLISHED: Mapping[str, Any] = {
    "autoencoder_def": {
        "_target_": "monai.networks.nets.AutoencoderKL",
        "spatial_dims": 2, "in_channels": 1, "out_channels": 1, "latent_channels": 3,
        "channels": [64, 128, 128, 128], "num_res_blocks": 2, "norm_num_groups": 32,
        "norm_eps": 1e-06, "attention_levels": [False, False, False, False],
        "with_encoder_nonlocal_attn": False, "with_decoder_nonlocal_attn": False,
    },
    "diffusion_def": {
        "_target_": "monai.networks.nets.DiffusionModelUNet",
        "spatial_dims": 2, "in_channels": 3, "out_channels": 3,
        "channels": [256, 512, 768], "num_res_blocks": 2, "norm_num_groups": 32,
        "norm_eps": 1e-06, "attention_levels": [False, True, True], "resblock_updown": False,
        "num_head_channels": [0, 512, 768], "with_conditioning": True,
        "transformer_num_layers": 1, "cross_attention_dim": 1024,
    },
    "scheduler": {
        "beta_start": 0.0015, "beta_end": 0.0205, "num_train_timesteps": 1000,
        "schedule": "scaled_linear_beta",
    },
}  # fmt: skip


@dataclass(frozen=True)
class MonaiConfig:
    """autoencoder, network: arguments of MONAI's classes; schedule: as ForwardProcess takes it;
    latent_scale: what the latent is multiplied by; text_width: of the tokens that are read."""

    autoencoder: Mapping[str, Any]
    network: Mapping[str, Any]
    schedule: Mapping[str, Any]
    latent_scale: float
    text_width: int


def read_config(folder: Path) -> MonaiConfig:
    """Of a bundle's folder; without configs/inference.json it is the published one.

    Nothing in the file is evaluated: "@name" is looked up, and "$..." in a network is refused.
    Raises ModelError.
    """
    file = folder / CONFIG
    values = read_json(file) if file.is_file() else _PUBLISHED
    if not isinstance(values, dict):
        raise ModelError(f"The file {file} does not hold settings by name.")
    autoencoder, network = (_network(values, part, file) for part in _CLASSES)
    _check_fit(autoencoder, network, file)
    width = network.get("cross_attention_dim")
    if network.get("with_conditioning") is not True or not isinstance(width, int):
        raise ModelError(
            f"The network of {file} reads no text (with_conditioning, cross_attention_dim); a "
            "text-to-image model such as MONAI's chest X-ray model is needed."
        )
    scale = values.get("scale_factor", _SCALE)
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not scale > 0:
        raise ModelError(f"The scale_factor of {file} must be a number above 0, not {scale!r}.")
    return MonaiConfig(autoencoder, network, _schedule(values, file), float(scale), width)


def _network(values: Mapping[str, Any], part: str, file: Path) -> dict[str, Any]:
    told = values.get(part)
    found = told.get("_target_") if isinstance(told, dict) else None
    if not isinstance(told, dict) or str(found).rpartition(".")[2] != _CLASSES[part]:
        raise ModelError(
            f"The {part} of {file} is a {found or 'nothing'}, but a {_CLASSES[part]} is needed: "
            "use a latent diffusion bundle such as MONAI's chest X-ray model."
        )
    return {
        _RENAMED.get(str(name), str(name)): _resolved(value, values, file)
        for name, value in told.items()
        if not str(name).startswith("_")
    }


def _resolved(value: Any, values: Mapping[str, Any], file: Path) -> Any:
    if isinstance(value, list):
        return [_resolved(one, values, file) for one in value]
    if isinstance(value, str) and value.startswith("@"):
        value = values.get(value[1:], value)
    if isinstance(value, str | dict | list):
        raise ModelError(
            f"The file {file} describes a network by {value!r}; write the numbers there instead, "
            "as nothing in the file is run."
        )
    return value


def _check_fit(autoencoder: Mapping[str, Any], network: Mapping[str, Any], file: Path) -> None:
    for told in (autoencoder, network):
        if not isinstance(told.get("in_channels"), int) or not isinstance(
            told.get("channels"), list
        ):
            raise ModelError(
                f"The networks of {file} are given without in_channels (a number) or channels (a "
                "list); take the bundle's own file."
            )
    dimensions = {autoencoder.get("spatial_dims"), network.get("spatial_dims")}
    if dimensions != {2}:
        raise ModelError(
            f"The networks of {file} have {sorted(map(str, dimensions))} spatial dimensions; a "
            "model of 2D pictures is needed."
        )
    made, read = autoencoder.get("latent_channels"), network.get("in_channels")
    if made != read:
        raise ModelError(
            f"The autoencoder of {file} gives {made} channels, but its network reads {read}: the "
            "parts are of different models."
        )


def _schedule(values: Mapping[str, Any], file: Path) -> dict[str, Any]:
    told = values.get("scheduler")
    if not isinstance(told, dict):
        raise ModelError(f"The file {file} has no scheduler; take the bundle's own file.")
    count = told.get("num_train_timesteps", 1000)
    start, end = told.get("beta_start", 1e-4), told.get("beta_end", 2e-2)  # MONAI's own defaults
    whole = isinstance(count, int) and 1 < count <= _MOST_TIMESTEPS
    if not whole or not all(isinstance(one, float) and 0 < one < 1 for one in (start, end)):
        raise ModelError(
            f"The scheduler of {file} must have beta_start and beta_end between 0 and 1 and "
            f"several timesteps, not {start!r}, {end!r} and {count!r}."
        )
    name = str(told.get("beta_schedule", told.get("schedule", "linear_beta")))
    return {
        "num_train_timesteps": count, "beta_start": start, "beta_end": end,
        "beta_schedule": name.removesuffix("_beta"),
    }  # fmt: skip
