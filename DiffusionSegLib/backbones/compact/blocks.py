"""The residual block and the changes of resolution that both networks are made of."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["Downsample", "ResidualBlock", "Upsample"]


class ResidualBlock(nn.Module):
    """x + conv(silu(norm(conv(silu(norm(x))) + time))), (B, channels, rows, columns).

    time_width: of the time embedding that is added between the convolutions; 0 takes none.
    """

    def __init__(self, inside: int, outside: int, groups: int, time_width: int = 0) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, inside)
        self.conv1 = nn.Conv2d(inside, outside, 3, padding=1)
        self.time = nn.Linear(time_width, outside) if time_width else None
        self.norm2 = nn.GroupNorm(groups, outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)  # a new block passes its input on
        self.skip = nn.Conv2d(inside, outside, 1) if inside != outside else nn.Identity()

    def forward(self, x: Tensor, time: Tensor | None = None) -> Tensor:
        """time: (B, time_width), already activated."""
        inner = self.conv1(F.silu(self.norm1(x)))
        if self.time is not None and time is not None:
            inner = inner + self.time(time)[:, :, None, None]
        inner = self.conv2(F.silu(self.norm2(inner)))
        shortcut: Tensor = self.skip(x)
        return shortcut + inner


class Downsample(nn.Conv2d):
    """Half the rows and columns."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__(inside, outside, 3, stride=2, padding=1)


class Upsample(nn.Module):
    """Twice the rows and columns: repeated, then convolved."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inside, outside, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, outside, 2 rows, 2 columns)."""
        enlarged: Tensor = self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))
        return enlarged
