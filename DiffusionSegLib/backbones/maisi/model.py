"""MAISI as a generative backbone of three dimensions."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from DiffusionSegLib.backbones.generative.interface import Encoded, ScanFacts
from DiffusionSegLib.backbones.generative.precision import in_numbers
from DiffusionSegLib.backbones.maisi.autoencoder import MaisiAutoencoder
from DiffusionSegLib.backbones.maisi.conditioning import Condition, condition_of
from DiffusionSegLib.backbones.maisi.variants import Variant
from DiffusionSegLib.errors import InputError

__all__ = ["Maisi"]

_ONCE = {0.0, 1.0}  # guidance without a second pass; the authors write 0 for it


class Maisi:
    """See GenerativeBackbone for shapes and ranges.

    Images stand as this project's volumes do: slices go up, rows to the back, columns to the left
    of the patient. MAISI was trained with x to the right, y to the front and z up; volumes are
    turned here and turned back. CT is expected with [0, 1] for -1000 to 1000 HU, MR with 0 and 1 at
    its lowest value and its 99.5th percentile, as the authors prepare it.
    """

    dims = 3

    def __init__(
        self,
        variant: Variant,
        autoencoder: MaisiAutoencoder,
        denoiser: Any,
        guidance: float | None = None,
        weights_sha256: str = "",
    ) -> None:
        config = variant.autoencoder
        self.variant = variant
        self.name = f"maisi/{variant.name}"
        self.licence = f"{variant.licence.name} ({variant.licence.url})"
        self.weights_sha256 = weights_sha256
        self.factor = config.factor
        self.multiple = config.factor * 2**variant.denoiser.halvings
        self.latent_channels = config.latent_channels
        self.stage_channels = config.channels
        self.stage_factors: tuple[int, ...] = (2, 4, 4)
        self.process = variant.process()
        self.steps = variant.steps
        self.guidance = variant.guidance if guidance is None else guidance
        self.autoencoder = autoencoder
        self.denoiser = denoiser

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        device: torch.device = next(self.denoiser.parameters()).device
        return device

    @property
    def dtype(self) -> torch.dtype:
        """The arithmetic in use."""
        return self.autoencoder.dtype

    def encode(self, image: Tensor) -> Encoded:
        """Larger volumes than a window are encoded window by window. Raises InputError for sides
        that are no multiples of ``multiple`` and for values that are no numbers."""
        self._check(image)
        given = _turned(image.to(self.device).clamp(0, 1))
        found = in_numbers(self, "encoding the volume", lambda: self.autoencoder.encode(given))
        latent, *stages = (_turned_back(one) for one in found)
        return Encoded(latent, tuple(stages))

    def decode(self, latent: Tensor) -> Tensor:
        """Larger latents than a window are decoded window by window."""
        given = _turned(latent.to(self.device))
        (image,) = in_numbers(
            self, "decoding the volume", lambda: (self.autoencoder.decode(given),)
        )
        return _turned_back(image)

    def condition(self, facts: ScanFacts) -> Condition:
        """Spacing, and region or modality, as the variant is told them; a text is not read."""
        return condition_of(facts, self.variant)

    def predict(self, noisy: Tensor, level: float, condition: Condition) -> Tensor:
        """The noise (ddpm) or the velocity z - ε (rflow), float32.

        With guidance g there are two passes: f(nothing) + g (f(modality) - f(nothing)).
        """
        given = _turned(noisy.to(self.device))
        (output,) = in_numbers(
            self, "one denoising step",
            lambda: (self._guided(given.to(self.dtype), level, condition),),
        )  # fmt: skip
        return _turned_back(output)

    def to_float32(self) -> None:
        """All parts, for good: half precision overflowed."""
        self.denoiser.float()
        network = self.autoencoder.network.float()
        for layer in network.modules():
            if hasattr(layer, "norm_float16"):
                layer.norm_float16 = False

    def _guided(self, noisy: Tensor, level: float, condition: Condition) -> Tensor:
        told = self._pass(noisy, level, condition, guided=True)
        if condition.code is None or self.guidance in _ONCE:
            return told
        plain = self._pass(noisy, level, condition, guided=False)
        return plain + self.guidance * (told - plain)

    @torch.no_grad()
    def _pass(self, noisy: Tensor, level: float, condition: Condition, guided: bool) -> Tensor:
        time = torch.full((len(noisy),), self.process.time(level), device=noisy.device)
        output: Tensor = self.denoiser(
            noisy, timesteps=time, **condition.arguments(noisy, guided=guided)
        )
        return output.float()

    def _check(self, image: Tensor) -> None:
        sides = tuple(image.shape[2:])
        if image.ndim != 5 or image.shape[1] != 1 or any(side % self.multiple for side in sides):
            raise InputError(
                f"The model {self.name} reads volumes of one channel whose sides are multiples of "
                f"{self.multiple}, not an array of shape {tuple(image.shape)}; pad the volume."
            )
        if not torch.isfinite(image).all():
            raise InputError(
                f"The volume for {self.name} has values that are no numbers; replace them first."
            )


def _turned(volume: Tensor) -> Tensor:
    """(B, C, up, back, left) as (B, C, right, front, up)."""
    return volume.flip((3, 4)).permute(0, 1, 4, 3, 2).contiguous()


def _turned_back(volume: Tensor) -> Tensor:
    return volume.permute(0, 1, 4, 3, 2).flip((3, 4))
