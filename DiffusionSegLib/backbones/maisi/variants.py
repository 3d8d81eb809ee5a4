"""MAISI's published models: their networks, noise, files and licences.

Source: configs/config_network_ddpm.json, config_network_rflow.json and
scripts/download_model_data.py of NV-Generate-CTMR, the authors' code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

from DiffusionSegLib.backbones.maisi.files import PUBLISHED, HubFile
from DiffusionSegLib.backbones.manifest import Licence
from DiffusionSegLib.diffusion.noise_process import DiscreteProcess, NoiseProcess, RectifiedFlow
from DiffusionSegLib.errors import ModelError, unknown_name

__all__ = [
    "VARIANTS", "AutoencoderConfig", "DenoiserConfig", "HubFile", "Variant", "find_variant",
]  # fmt: skip

_OPEN = Licence(
    "NVIDIA Open Model License",
    "https://www.nvidia.com/en-us/agreements/enterprise-software/nvidia-open-model-license/",
    commercial=True,
)
_NON_COMMERCIAL = Licence(
    "NVIDIA OneWay Noncommercial License",
    "https://developer.download.nvidia.com/licenses/"
    "NVIDIA-OneWay-Noncommercial-License-22Mar2022.pdf",
)
_SCHEDULE: Mapping[str, Any] = {
    "num_train_timesteps": 1000,
    "beta_start": 0.0015,
    "beta_end": 0.0195,
    "beta_schedule": "scaled_linear",
}
_REFERENCE = (32, 32, 32)  # latent whose levels MONAI's RFlowScheduler leaves equally spaced


@dataclass(frozen=True)
class AutoencoderConfig:
    """channels: of each level, each at half the resolution of the one before. splits: into how many
    pieces convolutions are cut to save memory on a GPU."""

    channels: tuple[int, ...] = (64, 128, 256)
    res_blocks: tuple[int, ...] = (2, 2, 2)
    latent_channels: int = 4
    groups: int = 32
    splits: int = 4

    @property
    def factor(self) -> int:
        """Voxels along the side of a latent place."""
        return 2 ** (len(self.channels) - 1)

    def arguments(self, norm_float16: bool) -> dict[str, Any]:
        """Of MONAI's AutoencoderKlMaisi."""
        return {
            "spatial_dims": 3, "in_channels": 1, "out_channels": 1,
            "latent_channels": self.latent_channels, "num_channels": list(self.channels),
            "num_res_blocks": list(self.res_blocks), "norm_num_groups": self.groups,
            "norm_eps": 1e-6, "attention_levels": [False] * len(self.channels),
            "with_encoder_nonlocal_attn": False, "with_decoder_nonlocal_attn": False,
            "use_checkpointing": False, "use_convtranspose": False,
            "norm_float16": norm_float16, "num_splits": 1, "dim_split": 1, "save_mem": False,
        }  # fmt: skip


@dataclass(frozen=True)
class DenoiserConfig:
    """regions: it is told the first and the last part of the body. classes: number of modality
    codes, 0 for a network that is told none. residual: residual blocks resample, and attention is
    projected."""

    channels: tuple[int, ...] = (64, 128, 256, 512)
    res_blocks: int = 2
    attention: tuple[bool, ...] = (False, False, True, True)
    head_channels: tuple[int, ...] = (0, 0, 32, 32)
    groups: int = 32
    regions: bool = False
    classes: int = 128
    residual: bool = True

    @property
    def halvings(self) -> int:
        """Of the latent, on the way down."""
        return len(self.channels) - 1

    def arguments(self, latent_channels: int) -> dict[str, Any]:
        """Of MONAI's DiffusionModelUNetMaisi."""
        return {
            "spatial_dims": 3, "in_channels": latent_channels, "out_channels": latent_channels,
            "num_channels": list(self.channels), "num_res_blocks": self.res_blocks,
            "attention_levels": list(self.attention), "norm_num_groups": self.groups,
            "num_head_channels": list(self.head_channels),
            "include_top_region_index_input": self.regions,
            "include_bottom_region_index_input": self.regions, "include_spacing_input": True,
            "num_class_embeds": self.classes or None, "resblock_updown": self.residual,
            "include_fc": self.residual,
        }  # fmt: skip


@dataclass(frozen=True)
class Variant:
    """One published model.

    modality: "ct" or "mr". steps: recommended; the published 1000 of ddpm-ct are thinned to DDIM's
    50 (our choice). guidance: weight of the modality against none (Ho & Salimans 2021), 1 without.
    """

    name: str
    modality: str
    autoencoder_file: HubFile
    denoiser_file: HubFile
    licence: Licence
    flow: bool = True
    steps: int = 30
    guidance: float = 1.0
    autoencoder: AutoencoderConfig = field(default_factory=AutoencoderConfig)
    denoiser: DenoiserConfig = field(default_factory=DenoiserConfig)

    def process(self) -> NoiseProcess:
        """How noise enters its latents."""
        if self.flow:
            return RectifiedFlow(1000, _REFERENCE)
        return DiscreteProcess(_SCHEDULE, "epsilon")

    def changed(self, config: Mapping[str, Any]) -> Variant:
        """With other networks: {"autoencoder": {...}, "denoiser": {...}} by the names above.

        For models that were trained smaller. Raises ModelError for names and types unknown.
        """
        unknown = sorted(set(config) - {"autoencoder", "denoiser"})
        if unknown:
            raise ModelError(
                f"The config of a MAISI model has the parts autoencoder and denoiser, not "
                f"{', '.join(map(repr, unknown))}; correct the model's settings."
            )
        changed = replace(
            self,
            autoencoder=_changed(self.autoencoder, config.get("autoencoder", {})),
            denoiser=_changed(self.denoiser, config.get("denoiser", {})),
        )
        _check_lengths(changed)
        return changed


_Config = TypeVar("_Config", AutoencoderConfig, DenoiserConfig)


def _changed(config: _Config, values: Any) -> _Config:
    known = {part.name: getattr(config, part.name) for part in fields(config)}
    if not isinstance(values, Mapping) or not set(values) <= set(known):
        raise ModelError(
            f"The config of a MAISI network is a table with names out of {', '.join(known)}; "
            f"found was {values!r}."
        )
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }
    wrong = [name for name, value in given.items() if not _alike(value, known[name])]
    if wrong:
        raise ModelError(
            f"The {wrong[0]} of a MAISI network cannot be {values[wrong[0]]!r}; write it like "
            f"{known[wrong[0]]!r}."
        )
    return replace(config, **given)


def _alike(value: Any, default: Any) -> bool:
    """Same type; numbers below zero are of no network."""
    if isinstance(default, tuple):
        return isinstance(value, tuple) and all(_alike(one, default[0]) for one in value)
    return type(value) is type(default) and value >= 0


def _check_lengths(variant: Variant) -> None:
    autoencoder, denoiser = variant.autoencoder, variant.denoiser
    if len(autoencoder.channels) != 3 or len(autoencoder.res_blocks) != 3:
        raise ModelError(
            "A MAISI autoencoder has three levels: three channels and three res_blocks, not "
            f"{autoencoder.channels} and {autoencoder.res_blocks}."
        )
    lengths = {len(denoiser.channels), len(denoiser.attention), len(denoiser.head_channels)}
    if len(lengths) != 1 or lengths == {0}:
        raise ModelError(
            "The denoiser's channels, attention and head_channels name its levels; give as many of "
            f"each, not {denoiser.channels}, {denoiser.attention} and {denoiser.head_channels}."
        )


VARIANTS: Mapping[str, Variant] = {
    variant.name: variant
    for variant in (
        Variant(
            "ddpm-ct", "ct", *PUBLISHED["ddpm-ct"], _OPEN,
            flow=False, steps=50,
            autoencoder=AutoencoderConfig(splits=8),
            denoiser=DenoiserConfig(regions=True, classes=0, residual=False),
        ),
        Variant("rflow-ct", "ct", *PUBLISHED["rflow-ct"], _OPEN),
        Variant("rflow-mr", "mr", *PUBLISHED["rflow-mr"], _NON_COMMERCIAL, guidance=10.0),
        Variant("rflow-mr-brain", "mr", *PUBLISHED["rflow-mr-brain"], _OPEN, guidance=2.0),
    )
}  # fmt: skip


def find_variant(name: object) -> Variant:
    """By its published name; raises UnknownNameError."""
    found = VARIANTS.get(name) if isinstance(name, str) else None
    if found is None:
        raise unknown_name("variant of MAISI", str(name), VARIANTS)
    return found
