"""Whether the thing asked for is in the image."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["PresenceVerdict", "Verdict"]


class Verdict(Enum):
    """Three answers; an empty mask is never reported as success."""

    FOUND = "found"
    UNCERTAIN = "uncertain"
    NOT_FOUND = "not found"


@dataclass(frozen=True)
class PresenceVerdict:
    """`state`, how sure (`score` in [0, 1], high is present), and one sentence saying why."""

    state: Verdict
    score: float
    reason: str

    def __post_init__(self) -> None:
        if not 0.0 <= self.score <= 1.0:
            raise ValueError(f"a verdict's score must lie in [0, 1], not {self.score}")
