"""What a frozen generative model is to a method that inpaints with it, in 2 or 3 dimensions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from DiffusionSegLib.diffusion.noise_process import NoiseProcess

__all__ = ["Encoded", "GenerativeBackbone", "ScanFacts"]


@dataclass(frozen=True)
class ScanFacts:
    """What a model may be told of an image besides its voxels.

    text: what the image shows, "" when nothing is said. modality: "ct", "mr" or a kind of MR such
    as "t1", "t2", "flair"; "" when unknown. spacing_mm: of the given array's axes, slowest first,
    always three. region: part of the body from head to knee as (first, last) of "head", "chest",
    "abdomen", "pelvis"; None when unknown.
    """

    text: str = ""
    modality: str = ""
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)
    region: tuple[str, str] | None = None


@dataclass(frozen=True)
class Encoded:
    """latent: (B, latent_channels, *places), scaled as the denoising network wants it.

    stages: inner features of the image encoder, (B, channels, *places), fine to coarse.
    """

    latent: Tensor
    stages: tuple[Tensor, ...]


class GenerativeBackbone(Protocol):
    """A frozen image autoencoder and a denoising network over its latents, on one device.

    Images are float tensors (B, 1, *voxels) in [0, 1] with ``dims`` spatial axes whose sides are
    multiples of ``multiple``; a latent place is ``factor`` voxels wide along every axis. Values
    outside [0, 1] are clipped.
    """

    name: str
    dims: int
    factor: int
    multiple: int
    latent_channels: int
    stage_channels: tuple[int, ...]
    stage_factors: tuple[int, ...]
    process: NoiseProcess
    steps: int
    weights_sha256: str
    licence: str

    @property
    def device(self) -> torch.device:
        """Where it computes."""

    @property
    def dtype(self) -> torch.dtype:
        """The arithmetic in use."""

    def encode(self, image: Tensor) -> Encoded:
        """One pass of the image encoder."""

    def decode(self, latent: Tensor) -> Tensor:
        """(B, 1, *voxels) in [0, 1], float32, of a scaled latent."""

    def condition(self, facts: ScanFacts) -> Any:
        """What `predict` is given again at every step; of the facts it uses what it knows."""

    def predict(self, noisy: Tensor, level: float, condition: Any) -> Tensor:
        """The network's output at a noise level in (0, 1]; see NoiseProcess.split."""
