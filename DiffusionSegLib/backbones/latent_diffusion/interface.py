"""What a latent diffusion model is to everybody else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

__all__ = ["LatentDiffusion", "TextEmbedding"]


@dataclass(frozen=True)
class TextEmbedding:
    """A text as the network reads it.

    states: (1, tokens, features). tokens: as the tokenizer writes them. spans: for each token the
    part of ``text`` that it stands for, as (first, behind last) character; None for tokens that
    stand for none, such as start, end and padding.
    """

    text: str
    states: Tensor
    tokens: tuple[str, ...]
    spans: tuple[tuple[int, int] | None, ...]

    def tokens_of(self, words: str) -> tuple[int, ...]:
        """Numbers of the tokens of every place where ``words`` stand in the text, in any case."""
        text, wanted = self.text.lower(), words.lower().strip()
        places = []
        start = text.find(wanted) if wanted else -1
        while start >= 0:
            places.append((start, start + len(wanted)))
            start = text.find(wanted, start + 1)
        return tuple(
            number
            for number, span in enumerate(self.spans)
            if span and any(span[0] < end and begin < span[1] for begin, end in places)
        )


class LatentDiffusion(Protocol):
    """A frozen image autoencoder and a denoising network over its latents, on one device.

    Images are float tensors (1, image_channels, rows, columns) in [-1, 1] whose sides are multiples
    of ``image_multiple``; latents are (1, latent_channels, rows / f, columns / f).
    """

    name: str
    image_channels: int
    image_multiple: int
    timesteps: int

    @property
    def network(self) -> nn.Module:
        """The denoising network, in which attention layers are found."""

    @property
    def dtype(self) -> torch.dtype:
        """The arithmetic in use."""

    def encode(self, image: Tensor) -> Tensor:
        """The latent's mean, scaled as the denoising network wants it."""

    def embed_text(self, text: str) -> TextEmbedding:
        """Any text, also the empty one; raises PromptError when it is too long."""

    def add_noise(self, latent: Tensor, timestep: int, noise: Tensor) -> Tensor:
        """The latent as it is at that timestep of the forward process."""

    def denoise(self, latent: Tensor, timestep: int, text: TextEmbedding) -> Tensor:
        """One pass of the network at a timestep in [0, timesteps)."""

    def to_float32(self) -> None:
        """From now on in full precision: half precision overflowed."""
