"""What was found in an image, on the grid of its region."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

__all__ = ["Answer"]


@dataclass(frozen=True, eq=False)
class Answer:
    """probability: (slices, rows, columns) of the stack, in [0, 1]. candidates: (mask, score,
    title), masks (slices, rows, columns). auxiliary: by name, arrays of that shape. score in
    [0, 1]. rule, remark: in words; what the user should know besides. by_user: whether the user
    marked where it is.
    """

    probability: NDArray[Any]
    score: float
    rule: str
    by_user: bool
    remark: str = ""
    candidates: tuple[tuple[NDArray[Any], float, str], ...] = ()
    auxiliary: dict[str, NDArray[Any]] = field(default_factory=dict)
