"""What decides the shape of the compact model's networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from DiffusionSegLib.errors import ModelError

__all__ = ["SCHEDULE", "AutoencoderConfig", "CompactConfig", "DenoiserConfig"]

# That of Stable Diffusion: timesteps mean the same noise in both.
SCHEDULE: Mapping[str, Any] = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
}


@dataclass(frozen=True)
class AutoencoderConfig:
    """channels: at full (decoder only), half and quarter resolution; blocks: residual blocks at the
    last two."""

    image_channels: int = 3
    latent_channels: int = 4
    channels: tuple[int, int, int] = (16, 64, 128)
    blocks: tuple[int, int] = (1, 2)
    groups: int = 8

    @property
    def factor(self) -> int:
        """Pixels along one side of a latent place."""
        return 4


@dataclass(frozen=True)
class DenoiserConfig:
    """channels: of each level, from the latent's resolution down, halved every time.

    blocks: residual blocks of each level, on the way down and again on the way up. attention:
    levels with self- and cross-attention. text_width: of the token states that are read.
    """

    latent_channels: int = 4
    channels: tuple[int, ...] = (64, 128, 160, 160)
    blocks: tuple[int, ...] = (1, 2, 1, 1)
    attention: tuple[int, ...] = (1, 2, 3)
    head_width: int = 32
    text_width: int = 384
    time_width: int = 256
    groups: int = 16

    @property
    def halvings(self) -> int:
        """How often the latent's sides are halved."""
        return len(self.channels) - 1


@dataclass(frozen=True)
class CompactConfig:
    """latent_scale: latents are multiplied with it, which brings them to standard deviation one.

    schedule: of the forward process, as diffusers schedulers are set. text_length: tokens that a
    text is padded to.
    """

    autoencoder: AutoencoderConfig = AutoencoderConfig()
    denoiser: DenoiserConfig = DenoiserConfig()
    latent_scale: float = 1.0
    schedule: Mapping[str, Any] = field(default_factory=lambda: dict(SCHEDULE))
    text_length: int = 32

    def to_dict(self) -> dict[str, Any]:
        """Plain values for model.json."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> CompactConfig:
        """The inverse; raises ModelError for settings that are missing or unknown."""
        try:
            return cls(
                AutoencoderConfig(**_tuples(values["autoencoder"])),
                DenoiserConfig(**_tuples(values["denoiser"])),
                float(values["latent_scale"]),
                dict(values["schedule"]),
                int(values["text_length"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelError(
                f"The settings of the compact backbone are not usable: {error}."
            ) from error


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    """JSON knows lists only."""
    return {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
