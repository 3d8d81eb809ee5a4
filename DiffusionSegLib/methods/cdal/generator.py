"""cDAL's generator: predicts the clean mask from a noisy one, the image, the time and a latent."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from DiffusionSegLib.methods.cdal.attention_block import AttentionBlock
from DiffusionSegLib.methods.cdal.condition_encoder import ConditionEncoder
from DiffusionSegLib.methods.cdal.config import GeneratorConfig
from DiffusionSegLib.methods.cdal.fir import PyramidDown, convolution, dense
from DiffusionSegLib.methods.cdal.groups import group_count
from DiffusionSegLib.methods.cdal.latent_mapping import LatentMapping
from DiffusionSegLib.methods.cdal.residual_block import ResidualBlock
from DiffusionSegLib.methods.cdal.time_embedding import sinusoid


class Generator(nn.Module):
    """NCSN++ U-Net with FIR resampling, an input pyramid, AdaGN and an added condition.

    The expensive image part (``encode_condition``) depends on nothing but the image: encode once,
    then call ``denoise`` for every step of every sample.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.latent_mapping = LatentMapping(config.latent_size, config.latent_width)
        self.time_in = dense(width, config.time_width)
        self.time_out = dense(config.time_width, config.time_width)
        self.condition = ConditionEncoder(config)
        self.stem = convolution(config.dims, config.mask_channels, width)
        self.encoder, skips = _encoder(config)
        self.middle = _middle(config)
        self.decoder = _decoder(config, skips)
        self.norm = nn.GroupNorm(group_count(width), width, eps=1e-6)
        self.out = convolution(config.dims, width, config.mask_channels, zero=True)

    def forward(
        self, noisy_mask: Tensor, timestep: Tensor, image: Tensor, latent: Tensor
    ) -> Tensor:
        """Predict the clean mask in [-1, 1].

        noisy_mask: (B, mask_channels, *spatial); timestep: (B,) integers 0..T-1;
        image: (B or 1, image_channels, *spatial) in [-1, 1]; latent: (B, latent_size), N(0, 1).
        """
        return self.denoise(noisy_mask, timestep, self.encode_condition(image), latent)

    def encode_condition(self, image: Tensor) -> Tensor:
        """Features of the image, (B or 1, width, *spatial)."""
        features: Tensor = self.condition(image)
        return features

    def denoise(
        self, noisy_mask: Tensor, timestep: Tensor, condition: Tensor, latent: Tensor
    ) -> Tensor:
        """As forward, with the image already encoded; a condition of batch 1 is shared."""
        time = self._time(timestep, noisy_mask.dtype)
        z = self.latent_mapping(latent)
        h = self.stem(noisy_mask) + condition
        h, skips = self._descend(h, noisy_mask, time, z)
        h = _run(self.middle, h, time, z)
        for block in _flat(self.decoder):
            if _takes_skip(block):
                h = torch.cat([h, skips.pop()], dim=1)
            h = _apply(block, h, time, z)
        return torch.tanh(self.out(nn.functional.silu(self.norm(h))))

    def _time(self, timestep: Tensor, dtype: torch.dtype) -> Tensor:
        embedding = sinusoid(timestep, self.config.width).to(dtype)
        return nn.functional.silu(self.time_out(nn.functional.silu(self.time_in(embedding))))

    def _descend(
        self, h: Tensor, pyramid: Tensor, time: Tensor, z: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        skips = [h]
        for block in _flat(self.encoder):
            if isinstance(block, PyramidDown):
                pyramid = (block(pyramid) + h) * math.sqrt(0.5)
                h = skips[-1] = pyramid
            elif isinstance(block, AttentionBlock):
                h = skips[-1] = block(h)
            else:
                h = block(h, time, z)
                skips.append(h)
        return h, skips

    @staticmethod
    def from_released(state_dict: Mapping[str, Tensor]) -> Generator:
        """Build the network that fits a released checkpoint (see ``released``) and load it."""
        from DiffusionSegLib.methods.cdal.released import generator_from_released

        return generator_from_released(state_dict)


def _flat(levels: nn.ModuleList) -> Iterator[nn.Module]:
    """The blocks of all levels, in execution order."""
    for level in levels:
        yield from level.children()


def _run(blocks: nn.ModuleList, h: Tensor, time: Tensor, z: Tensor) -> Tensor:
    for block in blocks:
        h = _apply(block, h, time, z)
    return h


def _apply(block: nn.Module, h: Tensor, time: Tensor, z: Tensor) -> Tensor:
    out: Tensor = block(h) if isinstance(block, AttentionBlock) else block(h, time, z)
    return out


def _takes_skip(block: nn.Module) -> bool:
    return isinstance(block, ResidualBlock) and block.resample is None


def _encoder(config: GeneratorConfig) -> tuple[nn.ModuleList, list[int]]:
    """Blocks per level, and the channels of every skip connection in the order they are made."""
    channels, pyramid = config.width, config.mask_channels
    levels, skips = nn.ModuleList(), [channels]
    for index, multiplier in enumerate(config.channel_multipliers):
        level = nn.ModuleList()
        for _ in range(config.residual_blocks):
            level.append(ResidualBlock(config, channels, config.width * multiplier))
            channels = config.width * multiplier
            skips.append(channels)
            if index in config.attention_levels:
                level.append(AttentionBlock(channels))
        if index < len(config.channel_multipliers) - 1:
            level.append(ResidualBlock(config, channels, channels, "down"))
            level.append(PyramidDown(config.dims, pyramid, channels))
            pyramid = channels
            skips.append(channels)
        levels.append(level)
    return levels, skips


def _middle(config: GeneratorConfig) -> nn.ModuleList:
    channels = config.width * config.channel_multipliers[-1]
    return nn.ModuleList(
        [
            ResidualBlock(config, channels, channels),
            AttentionBlock(channels),
            ResidualBlock(config, channels, channels),
        ]
    )


def _decoder(config: GeneratorConfig, skips: list[int]) -> nn.ModuleList:
    """Blocks per level, coarsest first; consumes ``skips`` from the end."""
    channels = config.width * config.channel_multipliers[-1]
    levels = nn.ModuleList()
    for index, multiplier in reversed(list(enumerate(config.channel_multipliers))):
        level = nn.ModuleList()
        for _ in range(config.residual_blocks + 1):
            level.append(ResidualBlock(config, channels + skips.pop(), config.width * multiplier))
            channels = config.width * multiplier
        if index in config.attention_levels:
            level.append(AttentionBlock(channels))
        if index > 0:
            level.append(ResidualBlock(config, channels, channels, "up"))
        levels.append(level)
    return levels
