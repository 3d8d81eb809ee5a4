"""Which images the backbone learns from, read from sources.json beside this file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from DiffusionSegLib.errors import InputError

__all__ = ["Source", "load_sources"]


@dataclass(frozen=True)
class Source:
    """One kind of image of one data set.

    name: of its own; folder: of the data set; pattern: of files in it. suffix: end of the stem
    that does not belong to the case's name. patient: regular expression whose group is the patient
    of a case; run: (first, length) for cases that are numbers in runs of slices of one patient.
    strata, exclude: as for split_cases. axes, slices: of a volume, that many slices along each.
    intensity: {"kind": "window" or "percentile", "low", "high"}, or {} for 8 or 16 bits as stored.
    weight: how often it is drawn. captions: several texts by the start of the case's name.
    """

    name: str
    folder: str
    pattern: str
    captions: Mapping[str, Sequence[str]]
    weight: float = 1.0
    suffix: str = ""
    patient: str = "(.*)"
    run: Sequence[int] = ()
    strata: Sequence[str] = ()
    exclude: Sequence[str] = ()
    axes: Sequence[str] = ("k",)
    slices: int = 1
    intensity: Mapping[str, Any] = field(default_factory=dict)

    def files(self, data: Path) -> dict[str, Path]:
        """Case to file, sorted by case; raises InputError when there is none."""
        found = sorted((data / self.folder).glob(self.pattern))
        cases = {self.case_of(path): path for path in found}
        kept = {case: path for case, path in cases.items() if case not in self.exclude}
        if not kept:
            raise InputError(f"There are no images {self.pattern} in {data / self.folder}.")
        return kept

    def case_of(self, path: Path) -> str:
        """The case that a file belongs to; its label has that name."""
        return path.name.partition(".")[0].removesuffix(self.suffix)

    def patient_of(self, case: str) -> str:
        """The patient of a case; raises InputError where the rule does not fit."""
        if self.run:
            first, length = self.run
            return f"run-{(int(case) - first) // length:03d}"
        found = re.match(self.patient, case)
        if found is None:
            raise InputError(f"The case {case!r} of {self.folder} does not name its patient.")
        return found[1]

    def captions_of(self, case: str) -> tuple[str, ...]:
        """The texts that describe a case."""
        chosen = next(start for start in self.captions if case.startswith(start))
        return tuple(self.captions[chosen])


def load_sources(path: Path | None = None) -> tuple[Source, ...]:
    """The shipped list, or one of the user's own in the same form; raises InputError."""
    shipped = files("DiffusionSegLib.training.backbone") / "sources.json"
    try:
        text = (path or shipped).read_text("utf-8")
        return tuple(Source(**values) for values in json.loads(text))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"The list of sources {path or shipped} is not usable: {error}") from error
