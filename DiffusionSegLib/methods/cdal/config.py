"""Shapes of the two cDAL networks, as plain data that a model card can carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True)
class GeneratorConfig:
    """Topology of the conditional mask generator.

    dims: 2 (as published) or 3 (our extension: the same network with volumetric kernels).
    width: channels at full resolution (the paper code's nf).
    channel_multipliers: one per level, finest first. attention_levels: those with attention.
    condition_blocks: residual blocks of the full-resolution condition encoder.
    condition_groups: groups of its normalisation (32 as released).
    """

    dims: int = 2
    width: int = 32
    channel_multipliers: tuple[int, ...] = (1, 2, 2, 2)
    residual_blocks: int = 1
    attention_levels: tuple[int, ...] = (1,)
    condition_blocks: int = 6
    condition_groups: int = 32
    latent_size: int = 100
    latent_width: int = 256
    mask_channels: int = 1
    image_channels: int = 1
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.dims not in (2, 3):
            raise ValueError(f"dims must be 2 or 3, got {self.dims}")
        if type(self.condition_groups) is not int or self.condition_groups < 1:
            raise ValueError(f"condition_groups are one or more, got {self.condition_groups!r}")
        if self.width % 4 or self.width < 4:
            raise ValueError(f"width must be a positive multiple of 4, got {self.width}")
        if any(not 0 <= a < len(self.channel_multipliers) for a in self.attention_levels):
            raise ValueError(
                f"attention_levels {self.attention_levels} name levels that do not exist"
            )

    @property
    def time_width(self) -> int:
        """Channels of the time embedding."""
        return 4 * self.width

    @property
    def stride(self) -> int:
        """Image sides must be multiples of this."""
        return int(2 ** (len(self.channel_multipliers) - 1))

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able copy."""
        return asdict(self)

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> GeneratorConfig:
        """The inverse of to_dict; lists become tuples, unknown keys are refused."""
        return GeneratorConfig(**_tuples(values, {f.name for f in fields(GeneratorConfig)}))


@dataclass(frozen=True)
class DiscriminatorConfig:
    """Topology of the time-dependent discriminator.

    channels: output channels of start_conv and of each block. halves: whether each block halves the
    resolution (one entry fewer than channels).
    """

    dims: int = 2
    mask_channels: int = 1
    time_width: int = 256
    channels: tuple[int, ...] = (128, 256, 512, 512, 512, 512, 512)
    halves: tuple[bool, ...] = (True,) * 6

    def __post_init__(self) -> None:
        if len(self.halves) != len(self.channels) - 1:
            raise ValueError(
                f"halves needs {len(self.channels) - 1} entries for {len(self.channels)} channels, "
                f"got {len(self.halves)}"
            )

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able copy."""
        return asdict(self)

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> DiscriminatorConfig:
        """The inverse of to_dict; lists become tuples, unknown keys are refused."""
        return DiscriminatorConfig(**_tuples(values, {f.name for f in fields(DiscriminatorConfig)}))


def _tuples(values: Mapping[str, Any], known: set[str]) -> dict[str, Any]:
    unknown = sorted(set(values) - known)
    if unknown:
        raise ValueError(f"unknown network settings: {', '.join(unknown)}")
    return {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}


LARGE_DISCRIMINATOR = DiscriminatorConfig()
SMALL_DISCRIMINATOR = DiscriminatorConfig(
    mask_channels=3,
    time_width=128,
    channels=(128, 128, 256, 512, 512),
    halves=(False, True, True, True),
)

RELEASED_GENERATORS: Mapping[str, GeneratorConfig] = {
    "lung": GeneratorConfig(
        width=32, channel_multipliers=(1, 1, 2, 2, 4, 4), attention_levels=(4,)
    ),
    "monuseg": GeneratorConfig(
        width=64,
        channel_multipliers=(1, 1, 1, 2, 2, 4, 4),
        residual_blocks=2,
        attention_levels=(4, 5),
        condition_blocks=5,
        image_channels=3,
    ),
    "hippocampus": GeneratorConfig(
        residual_blocks=2, latent_size=50, latent_width=128, mask_channels=3
    ),
    "hippocampus-1": GeneratorConfig(
        residual_blocks=1, latent_size=50, latent_width=128, mask_channels=3
    ),
}
"""The four configurations of the released code (256², 256², 32², 32²)."""
