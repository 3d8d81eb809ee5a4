"""MAISI's image autoencoder: latents with the encoder's inner features, window by window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from DiffusionSegLib.backbones.maisi.tiling import blend_windows
from DiffusionSegLib.backbones.maisi.variants import AutoencoderConfig

__all__ = ["MaisiAutoencoder", "Windows", "piece_count"]

_LEAST_PIECE = 4  # places; MONAI's pieces overlap by three, and by four where they halve
_LARGEST_SIDE = 500  # beyond it MONAI moves pieces to a GPU by name


@dataclass(frozen=True)
class Windows:
    """What the networks are given at once, along x, y, z; the defaults are published.

    encode: voxels. decode: latent places. overlap: of neighbours' sides.
    """

    encode: tuple[int, int, int] = (320, 320, 160)
    decode: tuple[int, int, int] = (80, 80, 80)
    overlap: float = 0.4


class MaisiAutoencoder:
    """network: MONAI's AutoencoderKlMaisi. scale: of the latent. pieces: into how many a
    convolution is cut at most. Volumes are (B, channels, x, y, z)."""

    def __init__(
        self, network: Any, config: AutoencoderConfig, scale: float, windows: Windows, pieces: int
    ) -> None:
        self.network = network
        self.scale = scale
        self.windows = windows
        self.pieces = pieces
        self._factor = config.factor
        # Behind each halving, and behind the last residual block (our choice; blocks 3, 6 and 8 of
        # the published network): the paper does not say which three stages are meant.
        levels = [count + 1 for count in config.res_blocks]
        self.taps = (levels[0], levels[0] + levels[1], sum(levels) - 1)

    @property
    def dtype(self) -> torch.dtype:
        """The arithmetic in use."""
        kind: torch.dtype = next(self.network.parameters()).dtype
        return kind

    @torch.no_grad()
    def encode(self, image: Tensor) -> tuple[Tensor, ...]:
        """The latent's mean, scaled, then the three stages, of an image in [0, 1]."""
        found = blend_windows(
            image, self.windows.encode, self.windows.overlap, self._encode_window, self._factor
        )
        return (found[0].float() * self.scale, *(stage.float() for stage in found[1:]))

    @torch.no_grad()
    def decode(self, latent: Tensor) -> Tensor:
        """The image in [0, 1] of a scaled latent, float32."""
        unscaled = latent.float() / self.scale
        (image,) = blend_windows(
            unscaled, self.windows.decode, self.windows.overlap, self._decode_window
        )
        return image.float().clamp(0, 1)

    def _encode_window(self, image: Tensor) -> tuple[Tensor, ...]:
        self._cut([side // self._factor for side in image.shape[2:]])
        stages = []
        inner = image.to(self.dtype)
        for number, block in enumerate(self.network.encoder.blocks):
            inner = block(inner)
            if number in self.taps:
                stages.append(inner)
        return (self.network.quant_conv_mu(inner), *stages)

    def _decode_window(self, latent: Tensor) -> tuple[Tensor]:
        self._cut(latent.shape[2:])
        return (self.network.decode(latent.to(self.dtype)),)

    def _cut(self, sides: Sequence[int]) -> None:
        """sides: of the window's latent. MONAI cuts along the second of them."""
        count = piece_count(self.pieces, sides, self._factor)
        for layer in self.network.modules():
            if hasattr(layer, "num_splits"):
                layer.num_splits = count


def piece_count(most: int, sides: Sequence[int], factor: int) -> int:
    """The largest number of pieces up to ``most`` that MONAI cuts and joins without an error.

    It needs equal pieces at every resolution, each wider than its overlap with the next.
    """
    side = sides[1]
    if max(sides) * factor >= _LARGEST_SIDE:
        return 1
    fitting = (
        count for count in range(most, 1, -1) if side % count == 0 and side // count >= _LEAST_PIECE
    )
    return next(fitting, 1)
