"""First stage: the autoencoder learns to give images back from small latents."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from DiffusionSegLib.backbones.compact.autoencoder import Autoencoder
from DiffusionSegLib.backbones.compact.config import AutoencoderConfig
from DiffusionSegLib.training.backbone.batches import Batch
from DiffusionSegLib.training.backbone.pack import Pack
from DiffusionSegLib.training.backbone.settings import TrainingSettings
from DiffusionSegLib.training.backbone.stage import Stage, seeded

__all__ = ["AutoencoderStage", "peak_ratio"]


class AutoencoderStage(Stage[Autoencoder]):
    """Absolute difference of pixels and of their neighbors' differences, and a little KL.

    There is neither a discriminator nor a network of perception: what the latents must keep here
    is where borders run, not a pleasant texture (our choice).
    """

    name = "autoencoder"
    columns = ("pixels", "edges", "divergence", "gradient", "rate", "validation_psnr", "seconds")
    counted = (
        "seed", "autoencoder_batch", "autoencoder_rate", "autoencoder_side", "divergence", "edges",
        "warmup", "clip", "weight_decay", "ema",
    )  # fmt: skip

    def __init__(
        self,
        config: AutoencoderConfig,
        settings: TrainingSettings,
        pack: Pack,
        device: torch.device,
    ) -> None:
        network = seeded(lambda: Autoencoder(config), settings.seed)
        total, rate = settings.autoencoder_steps, settings.autoencoder_rate
        super().__init__(network, settings, pack, device, total, rate)

    def draw(self, number: int) -> Batch:
        """Square crops of one size."""
        s = self.settings
        return self.batches.draw(s.autoencoder_batch, s.autoencoder_side, self.device)

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """See the class."""
        with self.fast():
            latent = self.network.encode(batch.image)
            made = self.network.decode(latent.sample(self.noise(latent.mean.shape)))
        pixels = F.l1_loss(made, batch.image)
        edges = _edge_loss(made, batch.image)
        divergence = latent.divergence()
        loss = pixels + self.settings.edges * edges + self.settings.divergence * divergence
        return loss, {"pixels": pixels, "edges": edges, "divergence": divergence}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Peak signal-to-noise ratio of images decoded from their latents' means."""
        image = self.held_out.image
        network = self.average.network
        with self.fast():
            made = torch.cat([network.decode(network.encode(one).mean) for one in image.split(8)])
        ratios = [peak_ratio(a, b) for a, b in zip(made, image, strict=True)]
        return {"validation_psnr": sum(ratios) / len(ratios)}


def peak_ratio(made: Tensor, image: Tensor) -> float:
    """Peak signal-to-noise ratio in dB of images in [-1, 1]."""
    error = float(F.mse_loss(made.clamp(-1, 1), image)) / 4
    return -10 * float(torch.log10(torch.tensor(max(error, 1e-10))))


def _edge_loss(made: Tensor, image: Tensor) -> Tensor:
    down = F.l1_loss(made.diff(dim=2), image.diff(dim=2))
    return down + F.l1_loss(made.diff(dim=3), image.diff(dim=3))
