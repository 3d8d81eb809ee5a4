"""A model's card as data: model.json beside its weights."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from DiffusionSegLib.errors import InputError, ModelError
from DiffusionSegLib.nouns.label import Label

__all__ = ["Licence", "ModelEntry", "ModelFile", "ModelInput", "read_manifest"]

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Licence:
    """Of the weights, as far as the data decide it."""

    name: str
    url: str = ""
    commercial: bool = False


@dataclass(frozen=True)
class ModelFile:
    """One file of a model: relative path, bytes, sha256."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class ModelInput:
    """One input channel (or colour image). kind: MR, CT, XR, RGB, ..."""

    name: str
    kind: str
    required: bool = True


@dataclass(frozen=True)
class ModelEntry:
    """Everything known of a model. ``folder`` holds its files, ``settings`` are the method's,
    ``limits`` says where it must not be trusted."""

    id: str
    method: str
    name: str
    title: str
    summary: str
    modality: tuple[str, ...]
    licence: Licence
    citation: str
    attribution: str
    files: tuple[ModelFile, ...]
    inputs: tuple[ModelInput, ...]
    labels: tuple[Label, ...]
    settings: Mapping[str, Any]
    folder: Path
    default: bool = False
    splits: Mapping[str, Sequence[str]] = field(default_factory=dict)
    metrics: Sequence[Mapping[str, Any]] = ()
    limits: str = ""

    def file(self, path: str) -> ModelFile:
        """The entry of one file; raises ModelError."""
        for part in self.files:
            if part.path == path:
                return part
        raise ModelError(f"The model {self.id} lists no file {path!r} in its model.json.")


def read_manifest(path: Path) -> ModelEntry:
    """Read and check a model.json; raises ModelError with the file and what is wrong in it."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return _entry(values, path.parent)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ModelError(f"The model card {path} cannot be read: {error}.") from error
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError, InputError) as error:
        raise ModelError(f"The model card {path} is not usable: {_reason(error)}.") from error


def _entry(values: Mapping[str, Any], folder: Path) -> ModelEntry:
    method, name = str(values["method"]), str(values["name"])
    return ModelEntry(
        id=f"{method}/{name}",
        method=method,
        name=name,
        title=str(values["title"]),
        summary=str(values["summary"]),
        modality=tuple(values["modality"]),
        licence=Licence(**values["licence"]),
        citation=str(values["citation"]),
        attribution=str(values["attribution"]),
        files=tuple(_file(part) for part in values["files"]),
        inputs=tuple(ModelInput(**part) for part in values["inputs"]),
        labels=tuple(_label(part) for part in values["labels"]),
        settings=dict(values["settings"]),
        folder=folder,
        default=bool(values.get("default", False)),
        splits=dict(values.get("splits", {})),
        metrics=tuple(values.get("metrics", ())),
        limits=str(values.get("limits", "")),
    )


def _file(values: Mapping[str, Any]) -> ModelFile:
    path, digest = str(values["path"]), str(values["sha256"])
    if Path(path).is_absolute() or ".." in Path(path).parts:
        raise ValueError(f"the file {path!r} lies outside the model's folder")
    if not _SHA256.fullmatch(digest):
        raise ValueError(f"the sha256 of {path!r} is not 64 hexadecimal digits")
    return ModelFile(path, int(values["size"]), digest)


def _label(values: Mapping[str, Any]) -> Label:
    color = tuple(values["color_rgb"])
    return Label(
        int(values["value"]), str(values["name"]), color, str(values.get("terminology", ""))
    )


def _reason(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)
