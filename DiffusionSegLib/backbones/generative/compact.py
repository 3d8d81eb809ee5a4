"""The bundled compact model as a generative backbone of two dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from DiffusionSegLib.backbones.compact.model import METHOD, CompactDiffusion, open_compact
from DiffusionSegLib.backbones.generative.interface import Encoded, ScanFacts
from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.diffusion.noise_process import DiscreteProcess
from DiffusionSegLib.errors import ModelError

__all__ = ["CompactGenerative", "open_compact_generative"]


def open_compact_generative(
    settings: Mapping[str, Any], device: str, store: ModelStore, folder: Path | None
) -> CompactGenerative:
    """settings: {"name": a model in the store}. Raises ModelError, UnknownNameError."""
    name = settings.get("name")
    if not isinstance(name, str) or not name.strip():
        raise ModelError(
            f"A backbone of kind 'compact' needs a 'name' in the model's settings, not {name!r}."
        )
    entry = store.find(METHOD, name)
    return CompactGenerative(open_compact(entry, device), entry.licence.name)


class CompactGenerative:
    """See GenerativeBackbone. The stages are what the encoder's residual blocks put out: in the
    bundled model one at half and two at quarter resolution.
    """

    dims = 2

    def __init__(self, model: CompactDiffusion, licence: str = "") -> None:
        config = model.config
        self.model = model
        self.name = model.name
        self.licence = licence
        self.weights_sha256 = model.weights_sha256
        self.factor = model.latent_factor
        self.multiple = model.image_multiple
        self.latent_channels = config.autoencoder.latent_channels
        _, half, quarter = config.autoencoder.channels
        fine, coarse = config.autoencoder.blocks
        self.stage_channels = (half,) * fine + (quarter,) * coarse
        self.stage_factors = (2,) * fine + (4,) * coarse
        self.process = DiscreteProcess(config.schedule, "velocity")
        self.steps = 20

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.model.device

    @property
    def dtype(self) -> torch.dtype:
        """The arithmetic in use."""
        return self.model.dtype

    def encode(self, image: Tensor) -> Encoded:
        """image: (B, 1, rows, columns) in [0, 1]."""
        latent, stages = self.model.encode_stages(_as_color(image))
        return Encoded(latent.float(), tuple(stage.float() for stage in stages))

    def decode(self, latent: Tensor) -> Tensor:
        """The mean of the three channels."""
        return (self.model.decode(latent).mean(dim=1, keepdim=True) + 1) / 2

    def condition(self, facts: ScanFacts) -> Tensor:
        """States of the text."""
        return self.model.embed_text(facts.text).states

    def predict(self, noisy: Tensor, level: float, condition: Tensor) -> Tensor:
        """The velocity, float32."""
        timestep = self.process.timestep(level)
        return self.model.velocity(noisy, timestep, condition).float()


def _as_color(image: Tensor) -> Tensor:
    return (image.clamp(0, 1) * 2 - 1).expand(-1, 3, *image.shape[2:])
