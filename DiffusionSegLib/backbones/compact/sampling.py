"""Draws images that fit a text: deterministic steps from noise (DDIM, Song et al. 2021)."""

from __future__ import annotations

import torch
from torch import Tensor

from DiffusionSegLib.backbones.compact.model import CompactDiffusion
from DiffusionSegLib.backbones.latent_diffusion.interface import TextEmbedding
from DiffusionSegLib.progress import Progress

__all__ = ["draw_image"]


def draw_image(
    model: CompactDiffusion,
    text: TextEmbedding,
    size: tuple[int, int],
    rng: torch.Generator,
    steps: int = 30,
    guidance: float = 3.0,
    progress: Progress | None = None,
) -> Tensor:
    """(1, 3, rows, columns) in [-1, 1]; size: rows and columns, multiples of image_multiple.

    steps: passes of the network, 1 to timesteps. guidance: how far the text pushes away from what
    is drawn without one, 1 does not (Ho & Salimans 2022).
    """
    factor = model.latent_factor
    channels = model.config.autoencoder.latent_channels
    latent = torch.randn(1, channels, size[0] // factor, size[1] // factor, generator=rng)
    empty = model.embed_text("")
    times = torch.linspace(model.timesteps - 1, 0, steps).round().int().tolist()
    told = progress or Progress.silent()
    for number, time in enumerate(times):
        velocity = model.denoise(latent, time, text).float()
        if guidance != 1:
            plain = model.denoise(latent, time, empty).float()
            velocity = plain + guidance * (velocity - plain)
        clean, noise = model.split_velocity(latent, velocity, time)
        last = number + 1 == len(times)
        latent = clean if last else model.add_noise(clean, times[number + 1], noise)
        told.report((number + 1) / steps, "drawing")
    return model.decode(latent)
