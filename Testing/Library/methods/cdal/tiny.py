"""Small networks for tests of everything around them."""

from __future__ import annotations

import math

import torch

from DiffusionSegLib.methods.cdal.config import GeneratorConfig
from DiffusionSegLib.methods.cdal.generator import Generator
from Testing.Library.reference.awake import awake


def tiny_config(dims: int = 2, labels: int = 1, images: int = 1) -> GeneratorConfig:
    return GeneratorConfig(
        dims=dims,
        width=8,
        channel_multipliers=(1, 2),
        condition_blocks=1,
        latent_size=4,
        latent_width=8,
        mask_channels=1 if labels == 1 else labels + 1,
        image_channels=images,
    )


def tiny_network(dims: int = 2, labels: int = 1, images: int = 1) -> Generator:
    """Random weights with a strong last layer, so that masks are neither empty nor full."""
    network = awake(Generator(tiny_config(dims, labels, images)))
    with torch.no_grad():
        network.out.weight *= 4
    return network


def constant_network(probability: float, dims: int = 2) -> Generator:
    """Predicts the same foreground probability everywhere: new networks end in zeros."""
    network = Generator(tiny_config(dims)).eval()
    with torch.no_grad():
        network.out.bias.fill_(math.atanh(2 * probability - 1))
    return network
