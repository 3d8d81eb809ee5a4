"""Layers that exist in two and in three dimensions, chosen by number: one code path for both."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["conv", "neighborhood_mean", "resized"]

_CONVOLUTIONS: dict[int, type[nn.Conv2d] | type[nn.Conv3d]] = {2: nn.Conv2d, 3: nn.Conv3d}
_SMOOTH = {2: "bilinear", 3: "trilinear"}


def conv(dims: int, inside: int, outside: int) -> nn.Module:
    """A linear layer on the channels of every place."""
    return _CONVOLUTIONS[dims](inside, outside, 1)


def neighborhood_mean(values: Tensor, reach: int) -> Tensor:
    """(B, C, *places), each the mean over ``reach`` places (odd) along every axis; what lies
    outside is not counted."""
    mean = values
    for axis in range(2, values.ndim):  # one axis after the other, each a product of matrices
        place = torch.arange(values.shape[axis], device=values.device)
        near = ((place[:, None] - place).abs() <= reach // 2).to(values.dtype)
        near = near / near.sum(dim=1, keepdim=True)
        mean = torch.matmul(mean.movedim(axis, -1), near.T).movedim(-1, axis)
    return mean


def resized(values: Tensor, places: Sequence[int]) -> Tensor:
    """(B, C, *places), interpolated linearly, of (B, C, *other places) of 2 or 3 axes."""
    if tuple(values.shape[2:]) == tuple(places):
        return values
    mode = _SMOOTH[values.ndim - 2]
    return F.interpolate(values, size=tuple(places), mode=mode, align_corners=False)
