"""What a rule finds in a volume."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

__all__ = ["VolumeOutline"]


@dataclass(frozen=True, eq=False)
class VolumeOutline:
    """probability: (slices, rows, columns) of the stack's own grid, float16 in [0, 1]; the outline
    is at 0.5.

    first and last: the outermost slices that the outline reaches. reasons: why it ends there, on
    the side of the first slice and of the last one. match: mean score of the followed slices in
    [0, 1], 1 when none was followed. score: how sure the rule is, in [0, 1]. rule: in words, for
    the provenance.
    """

    probability: NDArray[Any]
    first: int
    last: int
    reasons: tuple[str, str]
    match: float
    score: float
    rule: str
