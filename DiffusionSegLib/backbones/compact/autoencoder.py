"""A small autoencoder with a Gaussian latent (Kingma & Welling 2014; Rombach et al. 2022)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from DiffusionSegLib.backbones.compact.blocks import Downsample, ResidualBlock, Upsample
from DiffusionSegLib.backbones.compact.config import AutoencoderConfig

__all__ = ["Autoencoder", "LatentGaussian"]

_LOG_VARIANCE = (-20.0, 10.0)


@dataclass(frozen=True)
class LatentGaussian:
    """mean, log_variance: (B, latent_channels, rows / 4, columns / 4), float32, not scaled."""

    mean: Tensor
    log_variance: Tensor

    def sample(self, noise: Tensor) -> Tensor:
        """mean + σ ε; noise: shaped as the mean."""
        return self.mean + torch.exp(0.5 * self.log_variance) * noise

    def divergence(self) -> Tensor:
        """Mean over all places and channels of KL(latent ‖ N(0, 1)), in nats."""
        variance = torch.exp(self.log_variance)
        return 0.5 * (self.mean**2 + variance - 1 - self.log_variance).mean()


class Autoencoder(nn.Module):
    """Images (B, 3, rows, columns) in [-1, 1] to latents of a quarter of the sides, and back.

    There is no attention, and hardly anything at full resolution, where most time would go on a
    CPU (our choice).
    """

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = _encoder(config)
        self.decoder = _decoder(config)

    def encode(self, image: Tensor) -> LatentGaussian:
        """The latent's distribution."""
        return self.encode_stages(image)[0]

    def encode_stages(self, image: Tensor) -> tuple[LatentGaussian, tuple[Tensor, ...]]:
        """The latent's distribution, and what each residual block put out on the way to it."""
        stages, x = [], image
        for layer in self.encoder:
            x = layer(x)
            if isinstance(layer, ResidualBlock):
                stages.append(x)
        mean, log_variance = x.float().chunk(2, dim=1)
        return LatentGaussian(mean, log_variance.clamp(*_LOG_VARIANCE)), tuple(stages)

    def decode(self, latent: Tensor) -> Tensor:
        """The image, float32, not clamped; latent: not scaled."""
        image: Tensor = self.decoder(latent)
        return image.float()

    def forward(self, image: Tensor, noise: Tensor) -> tuple[Tensor, LatentGaussian]:
        """The image from a sample of its latent, and the latent's distribution."""
        latent = self.encode(image)
        return self.decode(latent.sample(noise)), latent


def _encoder(c: AutoencoderConfig) -> nn.Sequential:
    _, half, quarter = c.channels
    return nn.Sequential(
        nn.Conv2d(c.image_channels, half, 4, stride=2, padding=1),
        *_blocks(half, c.blocks[0], c.groups),
        Downsample(half, quarter),
        *_blocks(quarter, c.blocks[1], c.groups),
        *_last(quarter, 2 * c.latent_channels, c.groups),
    )


def _decoder(c: AutoencoderConfig) -> nn.Sequential:
    full, half, quarter = c.channels
    return nn.Sequential(
        nn.Conv2d(c.latent_channels, quarter, 3, padding=1),
        *_blocks(quarter, c.blocks[1], c.groups),
        Upsample(quarter, half),
        *_blocks(half, c.blocks[0], c.groups),
        *_last(half, 4 * full, c.groups),
        nn.PixelShuffle(2),
        nn.SiLU(),
        nn.Conv2d(full, c.image_channels, 3, padding=1),
    )


def _blocks(channels: int, count: int, groups: int) -> list[nn.Module]:
    return [ResidualBlock(channels, channels, groups) for _ in range(count)]


def _last(inside: int, outside: int, groups: int) -> list[nn.Module]:
    return [nn.GroupNorm(groups, inside), nn.SiLU(), nn.Conv2d(inside, outside, 3, padding=1)]
