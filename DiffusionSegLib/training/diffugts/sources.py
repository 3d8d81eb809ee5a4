"""Which images DiffuGTS learns from, read from sources.json beside this file.

How files of a data set are found and to which patient and part of the split they belong is what the
backbone's list says: what one was not shown, the other is not shown either.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.training.backbone.sources import Source, load_sources

__all__ = ["LesionSource", "load_lesion_sources"]


@dataclass(frozen=True)
class LesionSource:
    """One kind of image.

    images: where the files are; kind: of images; tumor: the type that is left out together, "" for
    images without tumors. labels: whether there is a label map of each case, in which ``values``
    (empty: all but 0) are the tumor. tumor_slices, free_slices: of a volume, so many with and
    without it. only_with_tumor: pictures without one are not taken. healthy: whether a picture
    without a tumor in its label may be called healthy. modality, organ, findings: for the texts,
    see anatomy.json; the first finding is the usual one.
    """

    images: Source
    kind: str
    modality: str
    organ: str
    findings: Sequence[str]
    tumor: str = ""
    labels: bool = False
    values: Sequence[int] = ()
    tumor_slices: int = 1
    free_slices: int = 1
    only_with_tumor: bool = False
    healthy: bool = True
    intensity: Mapping[str, Any] = field(default_factory=dict)

    def label_of(self, data: Path, case: str) -> Path | None:
        """The case's label map; raises InputError where it is missing."""
        if not self.labels:
            return None
        found = sorted((data / self.images.folder / "labels").glob(f"{case}.*"))
        if not found:
            raise InputError(
                f"The case {case} of {data / self.images.folder} has no file in its labels folder; "
                "add it, or take the case away."
            )
        return found[0]


def load_lesion_sources(path: Path | None = None) -> tuple[LesionSource, ...]:
    """The shipped list, or one of the user's own in the same form; raises InputError.

    "source" names one of the backbone's list.
    """
    shipped = files("DiffusionSegLib.training.diffugts") / "sources.json"
    known = {source.name: source for source in load_sources()}
    try:
        rows = json.loads((path or shipped).read_text("utf-8"))
        return tuple(_source(known, dict(row)) for row in rows)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"The list of sources {path or shipped} is not usable: {error}") from error


def _source(known: Mapping[str, Source], row: dict[str, Any]) -> LesionSource:
    images = known[row.pop("source")]
    return LesionSource(images, **{"intensity": images.intensity, **row})
