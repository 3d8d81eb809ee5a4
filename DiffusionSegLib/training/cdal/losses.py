"""The losses of both networks."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from DiffusionSegLib.methods.cdal.discriminator import Discriminator
from DiffusionSegLib.methods.cdal.masks import foreground_probability


def real_loss(logits: Tensor) -> Tensor:
    """softplus(-D(real)): the discriminator's non-saturating loss on true pairs."""
    return F.softplus(-logits).mean()


def fake_loss(logits: Tensor) -> Tensor:
    """softplus(D(fake)): its loss on generated pairs."""
    return F.softplus(logits).mean()


def gradient_penalty(
    discriminator: Discriminator, mask: Tensor, timestep: Tensor, noisier: Tensor, gamma: float
) -> tuple[Tensor, Tensor]:
    """(logits on true pairs, R1 penalty γ/2 · mean ‖∂D/∂x_t‖²)."""
    mask = mask.detach().requires_grad_(True)
    logits = discriminator(mask, timestep, noisier)
    (gradient,) = torch.autograd.grad(logits.sum(), mask, create_graph=True)
    return logits, gamma / 2 * gradient.flatten(1).square().sum(dim=1).mean()


def overlap_loss(predicted: Tensor, target: Tensor, labels: int) -> Tensor:
    """1 - soft Dice over the batch, per label, of masks in [-1, 1] (not in the paper)."""
    a, b = foreground_probability(predicted, labels), foreground_probability(target, labels)
    axes = [0, *range(2, a.ndim)]
    shared, total = (a * b).sum(axes), a.square().sum(axes) + b.square().sum(axes)
    return 1 - ((2 * shared + 1) / (total + 1)).mean()
