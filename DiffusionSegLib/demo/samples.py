"""The sample images that come with the program, and where they come from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from DiffusionSegLib.errors import InputError

_PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Sample:
    """One real case with its known outline, its model and its licence.

    zero_shot: what ADZUS will be told of it, "click", "box" or "nothing", and "" when it is not
    shown to ADZUS; text: in which words DiffuGTS will be asked for it, "" when it is not; told:
    what the method of this sample is told, "" for one that needs no prompt.
    """

    id: str
    title: str
    method: str
    model: str
    images: tuple[Path, ...]
    label: Path
    modality: tuple[str, ...]
    attribution: str
    licence: str
    licence_url: str
    source: str
    changes: str
    zero_shot: str = ""
    told: str = ""
    text: str = ""


def samples_folder() -> Path:
    """Inside the package when installed, beside it in a checkout; raises InputError."""
    for folder in (_PACKAGE / "Resources" / "Samples", _PACKAGE.parent / "Resources" / "Samples"):
        if (folder / "samples.json").is_file():
            return folder
    raise InputError(
        f"The sample images are missing beside {_PACKAGE}; install the package again or use a "
        "whole checkout."
    )


def load_samples(folder: Path) -> tuple[Sample, ...]:
    """The samples of samples.json; raises InputError when it cannot be understood."""
    listing = folder / "samples.json"
    try:
        entries = json.loads(listing.read_text(encoding="utf-8"))
        return tuple(_sample(entry, folder) for entry in entries)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"The list of samples {listing} cannot be used ({error!r}); install it again."
        ) from error


def _sample(entry: dict[str, Any], folder: Path) -> Sample:
    method, _, model = entry["model"].partition("/")
    return Sample(
        id=entry["id"],
        title=entry["title"],
        method=method,
        model=model,
        images=tuple(folder / name for name in entry["images"]),
        label=folder / entry["label"],
        modality=tuple(entry["modality"]),
        attribution=entry["attribution"],
        licence=entry["licence"]["name"],
        licence_url=entry["licence"]["url"],
        source=entry.get("source", ""),
        changes=entry.get("changes", ""),
        zero_shot=entry.get("zero_shot", ""),
        text=entry.get("text", ""),
    )
