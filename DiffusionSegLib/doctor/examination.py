"""What a doctor in another process found, read from what it printed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from DiffusionSegLib.errors import WorkerError

__all__ = ["Examination", "read_examination"]

# Words of a login shell may stand before it.
_BEGIN = re.compile(r"^\{", re.MULTILINE)


@dataclass(frozen=True)
class Examination:
    """problems: a sentence each, the first one first; text: the report, for people, with a line
    end; complete: the worker and the samples were tried."""

    problems: tuple[str, ...]
    text: str
    complete: bool = True

    @property
    def works(self) -> bool:
        """Whether there is no problem."""
        return not self.problems


def read_examination(printed: str) -> Examination | None:
    """From the output of `diffusionseg doctor --json`; None when there is no report in it.

    Raises WorkerError with the sentence of a doctor that could not make its report.
    """
    for told in _objects(printed):
        error = told.get("error")
        if isinstance(error, Mapping) and error.get("message"):
            raise WorkerError(str(error["message"]), printed)
        problems, text = told.get("problems"), told.get("text")
        if isinstance(problems, list) and isinstance(text, str):
            return Examination(tuple(map(str, problems)), text, bool(told.get("complete", True)))
    return None


def _objects(printed: str) -> Iterator[Mapping[str, Any]]:
    decoder = json.JSONDecoder()
    for begin in _BEGIN.finditer(printed):
        try:
            value, _ = decoder.raw_decode(printed, begin.start())
        except ValueError:
            continue
        if isinstance(value, Mapping):
            yield value
