"""Reads the authors' released checkpoints: their names for every weight, in ours.

The authors keep the generator's modules in one flat list, in execution order:
``all_modules.{i}.…``; only the latent mapping has a name of its own, ``z_transform.{1,3,5,7}``.
Their data-parallel wrapper put ``module.`` before every key. In the lung checkpoints the mask's
sign is inverted: lungs are -1.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor, nn

from DiffusionSegLib.backbones.checkpoints import read_checkpoint
from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.io.atomic import atomic_file
from DiffusionSegLib.methods.cdal.attention_block import AttentionBlock
from DiffusionSegLib.methods.cdal.condition_encoder import ConditionBlock
from DiffusionSegLib.methods.cdal.config import RELEASED_GENERATORS
from DiffusionSegLib.methods.cdal.fir import PyramidDown
from DiffusionSegLib.methods.cdal.generator import Generator
from DiffusionSegLib.methods.cdal.residual_block import ResidualBlock

__all__ = ["convert", "generator_from_released", "released_names"]

_PREFIX = "module."

_CONFIGURATION_BY_KEYS = {
    456: "lung",
    702: "monuseg",
    432: "hippocampus",
    334: "hippocampus-1",
}

# Within one entry of the flat list: our layer → theirs. Other entries are one layer with no name.
_LAYER_NAMES: Mapping[type[nn.Module], Mapping[str, str]] = {
    ConditionBlock: {
        "norm_in": "0.in_layers.0",
        "conv_in": "0.in_layers.2",
        "norm_out": "0.out_layers.0",
        "conv_out": "0.out_layers.3",
    },
    ResidualBlock: {
        "norm_in.style": "GroupNorm_0.style",
        "conv_in": "Conv_0",
        "time": "Dense_0",
        "norm_out.style": "GroupNorm_1.style",
        "conv_out": "Conv_1",
        "skip": "Conv_2",
    },
    AttentionBlock: {
        "norm": "GroupNorm_0",
        "query": "NIN_0",
        "key": "NIN_1",
        "value": "NIN_2",
        "project": "NIN_3",
    },
    PyramidDown: {"conv": "Conv2d_0"},
}
_NIN_NAMES = {"weight": "W", "bias": "b"}  # their "network in network" layer: x·W + b


def convert(checkpoint_path: Path, out_path: Path) -> str:
    """Write a released checkpoint as safetensors under our names; returns a summary sentence.

    The metadata name the configuration. Code in the checkpoint is never run. Raises ModelError for
    what is not such a checkpoint and OutputError when the file cannot be written.
    """
    released = read_checkpoint(checkpoint_path)
    try:
        network = generator_from_released(released)
    except ModelError as error:
        raise ModelError(
            f"The checkpoint {checkpoint_path} cannot be converted. {error}"
        ) from error
    name = _configuration(released)
    metadata = {"configuration": name, "generator": json.dumps(network.config.to_dict())}
    with atomic_file(out_path) as stream:
        stream.write(save(network.state_dict(), metadata))
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return (
        f"The released {name} checkpoint {checkpoint_path} ({parameters:,} parameters) is now in "
        f"{out_path}."
    )


def generator_from_released(state_dict: Mapping[str, Tensor]) -> Generator:
    """The network that fits a released checkpoint, with its weights; every key is used once.

    Raises ModelError when the number of keys, a key or a shape belongs to no released network.
    """
    released = _unwrapped(state_dict)
    network = Generator(RELEASED_GENERATORS[_configuration(released)])
    names = released_names(network)
    missing = sorted(set(names.values()) - set(released))
    if missing:
        unknown = sorted(set(released) - set(names.values()))
        raise ModelError(
            f"It lacks the weights {_some(missing)} and has {_some(unknown)} instead, so it is not "
            "a checkpoint of cDAL's generator."
        )
    weights = {
        ours: _fitting(names[ours], released[names[ours]], parameter)
        for ours, parameter in network.named_parameters()
    }
    network.load_state_dict(weights)
    return network


def released_names(network: Generator) -> dict[str, str]:
    """Our parameter's name → the released key without its prefix, for the whole network."""
    names = {}
    for index in range(len(network.latent_mapping.layers)):
        for kind in ("weight", "bias"):  # their list has the norm first, then layer, SiLU, ...
            names[f"latent_mapping.layers.{index}.{kind}"] = f"z_transform.{2 * index + 1}.{kind}"
    own_name = {module: name for name, module in network.named_modules()}
    for index, module in enumerate(_flat_list(network)):
        for ours, theirs in _parameter_names(module):
            names[f"{own_name[module]}.{ours}"] = f"all_modules.{index}.{theirs}"
    return names


def _flat_list(network: Generator) -> Iterator[nn.Module]:
    """The modules in execution order, as the authors number them."""
    yield from (network.time_in, network.time_out)
    yield network.condition.stem
    yield from network.condition.blocks
    yield network.stem
    for level in network.encoder:
        yield from level.children()
    yield from network.middle
    for level in network.decoder:
        yield from level.children()
    yield from (network.norm, network.out)


def _parameter_names(module: nn.Module) -> Iterator[tuple[str, str]]:
    """(our name, their name) of every parameter within one entry of the flat list."""
    layers = _LAYER_NAMES.get(type(module))
    for ours, _ in module.named_parameters():
        if layers is None:
            yield ours, ours
            continue
        layer, _, kind = ours.rpartition(".")
        theirs = layers[layer]
        yield ours, f"{theirs}.{_NIN_NAMES[kind] if theirs.startswith('NIN') else kind}"


def _fitting(key: str, value: Tensor, parameter: Tensor) -> Tensor:
    """The released tensor as our parameter; refused where shape or values are impossible."""
    turned = value.T if key.endswith(".W") and value.ndim == 2 else value  # theirs is (in, out)
    if turned.shape != parameter.shape:
        wanted = tuple(parameter.T.shape if key.endswith(".W") else parameter.shape)
        raise ModelError(
            f"The weight {key} has the shape {tuple(value.shape)}, but the released network needs "
            f"{wanted}."
        )
    if not bool(torch.isfinite(turned).all()):
        raise ModelError(f"The weight {key} holds values that are not finite numbers.")
    return turned.to(torch.float32)


def _configuration(state_dict: Mapping[str, Tensor]) -> str:
    name = _CONFIGURATION_BY_KEYS.get(len(state_dict))
    if name is None:
        known = ", ".join(f"{keys} ({name})" for keys, name in _CONFIGURATION_BY_KEYS.items())
        raise ModelError(
            f"It has {len(state_dict)} weights, but the released networks have {known}."
        )
    return name


def _unwrapped(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same weights without the prefix of the data-parallel wrapper."""
    return {key.removeprefix(_PREFIX): value for key, value in state_dict.items()}


def _some(keys: list[str]) -> str:
    """The first few names of a list."""
    shown = ", ".join(keys[:3])
    return shown if len(keys) <= 3 else f"{shown} and {len(keys) - 3} more"
