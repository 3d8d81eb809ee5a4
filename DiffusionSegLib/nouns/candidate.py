"""Another whole outline that a method offers, and how good it thinks it is."""

from __future__ import annotations

from dataclasses import dataclass

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.nouns.mask import Mask

__all__ = ["Candidate"]


@dataclass(frozen=True)
class Candidate:
    """`mask` on the proposal's grid or another; `score` in [0, 1], high is likely; `title` says in
    few words what it is, for instance "part 2 of 5". Raises InputError for another score."""

    mask: Mask
    score: float
    title: str

    def __post_init__(self) -> None:
        if not 0.0 <= self.score <= 1.0:
            raise InputError(f"The score of a candidate lies from 0 to 1, not {self.score}.")
