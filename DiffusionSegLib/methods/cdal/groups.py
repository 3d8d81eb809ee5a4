"""How many groups a group normalisation gets."""

from __future__ import annotations


def group_count(channels: int) -> int:
    """min(channels / 4, 32) as released; where that does not divide, the next smaller that does."""
    most = max(1, min(channels // 4, 32))
    return next(groups for groups in range(most, 0, -1) if channels % groups == 0)
