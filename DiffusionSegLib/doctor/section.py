"""The parts of a report: what was found of one thing, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Problem", "Section"]


@dataclass(frozen=True)
class Problem:
    """A sentence that says what is wrong and what to do. about: two problems about the same thing
    ("torch", "gpu") are one, and the first is told; "" stands alone."""

    sentence: str
    about: str = ""


@dataclass(frozen=True)
class Section:
    """lines: for people; facts: the same for programs, as JSON can hold it; name: of the check, the
    same in every language and version."""

    title: str
    lines: tuple[str, ...]
    problems: tuple[Problem, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
