"""What every model of one denoising network says of itself."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

__all__ = ["OneNetwork"]


class OneNetwork:
    """``_network``: the denoising network, on its device and in its arithmetic."""

    _network: Any

    @property
    def network(self) -> nn.Module:
        """The denoising network."""
        network: nn.Module = self._network
        return network

    @property
    def dtype(self) -> torch.dtype:
        """The arithmetic in use."""
        kind: torch.dtype = next(self.network.parameters()).dtype
        return kind

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next(self.network.parameters()).device
