"""Compares the output that a document shows with what came out."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["missing_lines"]

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_SECONDS = re.compile(r"\b\d+\.\d s\b")  # differ from one computer to the next
_ABSOLUTE, _RELATIVE = 0.03, 0.05


def missing_lines(expected: str, said: str) -> list[str]:
    """The shown lines that did not come out, in their order: others may stand between them.

    Words are compared exactly, blanks not at all, numbers within 0.03 or 5 %, seconds not; … stands
    for anything.
    """
    waiting: Iterator[str] = iter(said.splitlines())
    wanted = [line for line in expected.splitlines() if line.strip()]
    return [line for line in wanted if not any(_alike(line, one) for one in waiting)]


def _alike(shown: str, said: str) -> bool:
    shown, said = _SECONDS.sub("… s", shown), _SECONDS.sub("… s", said)
    pattern = r"\s+".join(_word(word) for word in shown.split())
    match = re.fullmatch(pattern, said.strip())
    numbers = [float(one) for one in _NUMBER.findall(shown)]
    return match is not None and all(map(_near, numbers, map(float, match.groups())))


def _word(word: str) -> str:
    """As a pattern, with a group for every number."""
    pattern, end = "", 0
    for number in _NUMBER.finditer(word):
        pattern += _plain(word[end : number.start()]) + r"(-?\d+(?:\.\d+)?)"
        end = number.end()
    return pattern + _plain(word[end:])


def _plain(text: str) -> str:
    return ".*".join(re.escape(part) for part in text.split("…"))


def _near(shown: float, said: float) -> bool:
    return abs(shown - said) <= max(_ABSOLUTE, _RELATIVE * abs(shown))
