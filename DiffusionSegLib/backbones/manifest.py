"""A model's card as data: model.json beside its weights."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from DiffusionSegLib.backbones.costs import Costs, read_costs
from DiffusionSegLib.backbones.pins import Pin, read_pins
from DiffusionSegLib.backbones.sources import Source, read_sources
from DiffusionSegLib.errors import InputError, ModelError
from DiffusionSegLib.nouns.label import Label

__all__ = [
    "Licence", "ModelEntry", "ModelFile", "ModelInput", "Needs", "parse_manifest", "read_manifest",
]  # fmt: skip

_SHA256 = re.compile(r"[0-9a-f]{64}")
_WORD = re.compile(r"\w[\w. -]{0,99}")
_LONGEST = 200  # of the name of a file or a folder
_VERSION = re.compile(r"\d+(\.\d+)*")


@dataclass(frozen=True)
class Licence:
    """Of the weights, as far as the data decide it. text: in full, where the card has it."""

    name: str
    url: str = ""
    commercial: bool = False
    text: str = ""


@dataclass(frozen=True)
class ModelFile:
    """One file of a model: relative path, bytes, sha256, and where it can be had, best first."""

    path: str
    size: int
    sha256: str
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True)
class Needs:
    """Bytes; 0 where it is not known. disk: of all that is downloaded; half_disk: of its
    half-precision files; memory: at least, to run."""

    disk_bytes: int = 0
    half_disk_bytes: int = 0
    memory_bytes: int = 0


@dataclass(frozen=True)
class ModelInput:
    """One input channel (or colour image). kind: MR, CT, XR, RGB, ..."""

    name: str
    kind: str
    required: bool = True


@dataclass(frozen=True)
class ModelEntry:
    """Everything known of a model. ``folder`` holds its files, ``settings`` are the method's,
    ``limits`` says where it must not be trusted; ``sources`` are for files that name none, and of
    hub repositories the first and those that can stand for it; ``pins`` say what is known of their
    files; ``minimum`` are versions by package. ``store`` are the folders of the store that found
    it, where the models that it is built on are found too.
    """

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
    purpose: str = ""
    sources: tuple[Source, ...] = ()
    needs: Needs = Needs()
    costs: Costs | None = None
    minimum: Mapping[str, str] = field(default_factory=dict)
    pins: Mapping[str, Pin] = field(default_factory=dict)
    store: tuple[Path, ...] = field(default=(), compare=False)

    def file(self, path: str) -> ModelFile:
        """The entry of one file; raises ModelError."""
        for part in self.files:
            if part.path == path:
                return part
        raise ModelError(f"The model {self.id} lists no file {path!r} in its model.json.")


def read_manifest(path: Path) -> ModelEntry:
    """Read and check a model.json; raises ModelError with the file and what is wrong in it."""
    try:
        return parse_manifest(path.read_bytes(), path)
    except OSError as error:
        raise ModelError(f"The model card {path} cannot be read: {error}.") from error


def parse_manifest(content: bytes, path: Path) -> ModelEntry:
    """Like read_manifest, of what is or will be in the file ``path``."""
    try:
        return _entry(json.loads(content.decode("utf-8")), path.parent)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ModelError(f"The model card {path} cannot be read: {error}.") from error
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError, InputError) as error:
        raise ModelError(f"The model card {path} is not usable: {_reason(error)}.") from error


def _entry(values: Mapping[str, Any], folder: Path) -> ModelEntry:
    method, name = _word(values, "method"), _word(values, "name")
    return ModelEntry(
        id=f"{method}/{name}",
        method=method,
        name=name,
        title=str(values["title"]),
        summary=str(values["summary"]),
        modality=tuple(values["modality"]),
        licence=_licence(values["licence"]),
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
        purpose=str(values.get("purpose", "")),
        sources=read_sources(values.get("sources", ())),
        needs=_needs(values.get("needs", {})),
        costs=read_costs(values.get("costs")),
        minimum=_versions(values.get("minimum", {})),
        pins=read_pins(values.get("pins", {})),
    )


def _word(values: Mapping[str, Any], key: str) -> str:
    """A part of the id, which is also the name of a folder."""
    word = str(values[key])
    if not _WORD.fullmatch(word):
        raise ValueError(f"the {key} {word!r} is no plain name (letters, digits, '.', '_', '-')")
    return word


def _licence(values: Mapping[str, Any]) -> Licence:
    licence = Licence(**values)
    texts = (licence.name, licence.url, licence.text)
    if not all(isinstance(text, str) for text in texts) or not isinstance(licence.commercial, bool):
        raise ValueError(
            f"the licence {dict(values)!r} is not of texts, and commercial true or false"
        )
    return licence


def _needs(values: Any) -> Needs:
    needs = Needs(**values)
    for name, number in vars(needs).items():
        if not isinstance(number, int) or isinstance(number, bool) or number < 0:
            raise ValueError(f"the {name} that it needs are a whole number, not {number!r}")
    return needs


def _versions(values: Any) -> dict[str, str]:
    for name, version in dict(values).items():
        if not isinstance(version, str) or not _VERSION.fullmatch(version):
            raise ValueError(f"the minimum version of {name} is like '2.6', not {version!r}")
    return dict(values)


def _file(values: Mapping[str, Any]) -> ModelFile:
    path, digest = str(values["path"]), str(values["sha256"])
    parts = path.split("/")
    strange = set(path) & {"\\", ":"} or not path.isprintable() or max(map(len, parts)) > _LONGEST
    if Path(path).is_absolute() or {"..", "."} & set(parts) or not all(parts) or strange:
        raise ValueError(f"the file {path!r} lies outside the model's folder")
    if not _SHA256.fullmatch(digest):
        raise ValueError(f"the sha256 of {path!r} is not 64 hexadecimal digits")
    size = int(values["size"])
    if size < 0:
        raise ValueError(f"the size of {path!r} is below zero")
    return ModelFile(path, size, digest, read_sources(values.get("sources", ())))


def _label(values: Mapping[str, Any]) -> Label:
    color = tuple(values["color_rgb"])
    return Label(
        int(values["value"]), str(values["name"]), color, str(values.get("terminology", ""))
    )


def _reason(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)
