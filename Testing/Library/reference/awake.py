"""Networks whose every weight matters: training starts with many of them at zero."""

from __future__ import annotations

import math
from typing import TypeVar

import torch
from torch import nn

Network = TypeVar("Network", bound=nn.Module)


def awake(network: Network, seed: int = 0, gain: float = 1.0) -> Network:
    """The same network with random weights, zero nowhere; at ``gain`` 1 signals stay small."""
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            fan_in = math.prod(parameter.shape[1:]) if parameter.ndim > 1 else 16
            parameter.copy_(gain * torch.randn(parameter.shape, generator=rng) / math.sqrt(fan_in))
    return network.eval()


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    """Standard normal numbers that do not depend on what ran before."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))
