"""Exponential moving average of a network's weights."""

from __future__ import annotations

import copy
from typing import Generic, TypeVar

import torch
from torch import nn

Network = TypeVar("Network", bound=nn.Module)


class MovingAverage(Generic[Network]):
    """Keeps a second copy of ``network`` whose weights follow it slowly.

    decay: share of the old average kept per update. The average warms up, min(decay,
    (1 + n) / (10 + n)) at update n, so that short trainings do not drag their start along.
    """

    def __init__(self, network: Network, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.network: Network = copy.deepcopy(network).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, network: Network) -> None:
        """Move the average towards the current weights."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for average, current in zip(self.network.parameters(), network.parameters(), strict=True):
            average.lerp_(current, 1 - decay)
