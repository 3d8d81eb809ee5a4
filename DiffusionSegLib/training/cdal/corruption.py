"""Simulated user errors: regions wrongly added to or missing from a mask.

Our choice, not the paper's.
"""

from __future__ import annotations

import torch
from torch import Tensor


def corrupt_classes(classes: Tensor, labels: int, rng: torch.Generator) -> Tensor:
    """Add or erase one to three random ellipses per sample, centred near the object's border.

    classes: (B, *spatial) class indices; returns a changed copy.
    """
    out = classes.clone()
    for sample in out:
        for _ in range(int(torch.randint(1, 4, (), generator=rng))):
            _one_error(sample, labels, rng)
    return out


def _one_error(sample: Tensor, labels: int, rng: torch.Generator) -> None:
    shape = torch.tensor(sample.shape, dtype=torch.float32)
    inside = sample.nonzero()
    erase = len(inside) > 0 and bool(torch.rand((), generator=rng) < 0.5)
    if len(inside):
        center = inside[int(torch.randint(len(inside), (), generator=rng))].float()
        if not erase:
            center = center + torch.randn(len(shape), generator=rng) * shape * 0.1
    else:
        center = torch.rand(len(shape), generator=rng) * shape
    radii = shape * (0.04 + 0.12 * torch.rand(len(shape), generator=rng))
    value = 0 if erase else int(torch.randint(1, labels + 1, (), generator=rng))
    sample[_ellipse(sample.shape, center, radii)] = value


def _ellipse(shape: torch.Size, center: Tensor, radii: Tensor) -> Tensor:
    distance = torch.zeros(shape)
    for axis, size in enumerate(shape):
        profile = ((torch.arange(size) - center[axis]) / radii[axis]).square()
        distance = distance + profile.reshape([-1 if a == axis else 1 for a in range(len(shape))])
    return distance <= 1
