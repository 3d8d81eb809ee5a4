"""Second stage: the denoising network learns on latents of the first stage's autoencoder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from DiffusionSegLib.backbones.compact.autoencoder import Autoencoder
from DiffusionSegLib.backbones.compact.config import CompactConfig
from DiffusionSegLib.backbones.compact.denoiser import Denoiser
from DiffusionSegLib.backbones.latent_diffusion.noise import ForwardProcess
from DiffusionSegLib.training.backbone.batches import Batch, Batches
from DiffusionSegLib.training.backbone.pack import Pack
from DiffusionSegLib.training.backbone.settings import TrainingSettings
from DiffusionSegLib.training.backbone.stage import Stage, seeded

__all__ = ["VALIDATION_TIMESTEPS", "DenoiserStage", "latent_scale"]

VALIDATION_TIMESTEPS = (50, 200, 400, 600, 800, 950)
_SCALE_CROPS = 64
_ENCODED_AT_ONCE = 8


class DenoiserStage(Stage[Denoiser]):
    """Squared error of the velocity at timesteps that are all equally likely.

    Captions are taken away from some samples, so that the network also knows pictures without
    words (Ho & Salimans 2022).
    """

    name = "denoiser"
    columns = (
        "loss", "gradient", "rate", "validation",
        *(f"validation_{t}" for t in VALIDATION_TIMESTEPS), "seconds",
    )  # fmt: skip
    counted = (
        "seed", "batch", "rate", "side", "large_side", "large_batch", "warmup", "clip",
        "weight_decay", "ema", "empty_text",
    )  # fmt: skip

    def __init__(
        self,
        config: CompactConfig,
        autoencoder: Autoencoder,
        settings: TrainingSettings,
        pack: Pack,
        device: torch.device,
    ) -> None:
        self.autoencoder = autoencoder.to(device).eval().requires_grad_(False)
        self.config = config
        network = seeded(lambda: Denoiser(config.denoiser), settings.seed)
        super().__init__(network, settings, pack, device, settings.steps, settings.rate)
        self.process = ForwardProcess(config.schedule)
        self.scale = latent_scale(self.autoencoder, pack, settings, device)

    def draw(self, number: int) -> Batch:
        """Large crops, fewer of them, in the last share of the steps."""
        s = self.settings
        if number < round(self.total * (1 - s.large_share)):
            return self.batches.draw(s.batch, s.side, self.device)
        return self.batches.draw(s.large_batch, s.large_side, self.device)

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """See the class."""
        latent = self._encode(batch.image)
        timestep = torch.randint(self.process.timesteps, (len(latent),), generator=self.rng)
        noise = self.noise(latent.shape)
        noisy, velocity = self._pair(latent, timestep, noise)
        with self.fast():
            predicted = self.network(noisy, timestep.to(self.device), batch.text)
        loss = F.mse_loss(predicted.float(), velocity)
        return loss, {"loss": loss}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """The same error of the averaged weights at chosen timesteps, and their mean."""
        latent, text = self._encode(self.held_out.image), self.held_out.text
        rng = torch.Generator().manual_seed(self.settings.seed)
        found = {}
        for chosen in VALIDATION_TIMESTEPS:
            timestep = torch.full((len(latent),), chosen)
            noise = torch.randn(latent.shape, generator=rng).to(self.device)
            noisy, velocity = self._pair(latent, timestep, noise)
            with self.fast():
                predicted = self.average.network(noisy, timestep.to(self.device), text)
            found[f"validation_{chosen}"] = float(F.mse_loss(predicted.float(), velocity))
        return {"validation": sum(found.values()) / len(found), **found}

    def state(self) -> dict[str, Any]:
        """With the autoencoder, so that a checkpoint is a whole model."""
        return {
            **super().state(),
            "autoencoder": self.autoencoder.state_dict(),
            "latent_scale": self.scale,
            "config": replace(self.config, latent_scale=self.scale).to_dict(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """The inverse of ``state``."""
        super().restore(state)
        self.autoencoder.load_state_dict(state["autoencoder"])
        self.scale = float(state["latent_scale"])

    def _encode(self, image: Tensor) -> Tensor:
        with self.fast():
            return _means(self.autoencoder, image) * self.scale

    def _pair(self, latent: Tensor, timestep: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """The noisy latent √ᾱ z + √(1 − ᾱ) ε and its velocity √ᾱ ε − √(1 − ᾱ) z."""
        signal = self.process.signal[timestep].float().to(self.device)[:, None, None, None]
        rest = (1 - signal**2).sqrt()
        return signal * latent + rest * noise, signal * noise - rest * latent


@torch.no_grad()
def latent_scale(
    autoencoder: Autoencoder, pack: Pack, settings: TrainingSettings, device: torch.device
) -> float:
    """One over the standard deviation of the latents of some training crops."""
    rng = torch.Generator().manual_seed(settings.seed)
    crops = Batches(pack, 0.0, rng).draw(_SCALE_CROPS, settings.side, device)
    return 1.0 / float(_means(autoencoder, crops.image).std())


@torch.no_grad()
def _means(autoencoder: Autoencoder, image: Tensor) -> Tensor:
    parts = [autoencoder.encode(part).mean for part in image.split(_ENCODED_AT_ONCE)]
    return torch.cat(parts)
