"""What a worker answers, apart from proposals. Nothing here needs torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from DiffusionSegLib.backbones.manifest import Licence, ModelInput
from DiffusionSegLib.methods.contract import MethodDescription
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.label import Label
from DiffusionSegLib.planning.plan import Plan

__all__ = [
    "Catalogue",
    "DeviceReport",
    "Estimate",
    "Hello",
    "MemoryReport",
    "ModelSummary",
    "Preview",
    "WorkerProgress",
]


@dataclass(frozen=True)
class DeviceReport:
    """A device: `name` as a Setup takes it, a title, and why it is unusable (reason "" if usable).

    Memory in bytes, None where it cannot be told. broken: it is there and ought to be usable, so
    that the reason says what to mend.
    """

    name: str
    title: str
    usable: bool
    reason: str = ""
    memory_total: int | None = None
    memory_free: int | None = None
    broken: bool = False


@dataclass(frozen=True)
class Hello:
    """Who works there. torch: its version; problem: one sentence why nothing can be computed."""

    protocol: int
    versions: Mapping[str, str]
    python: str
    devices: tuple[DeviceReport, ...]
    pid: int
    torch: str | None
    problem: str | None = None


@dataclass(frozen=True)
class ModelSummary:
    """What a front end shows of a model. limits: where it must not be trusted. state: "ready",
    "needs download" or "incomplete"; download_bytes: expected, 0 when nothing is known."""

    id: str
    method: str
    name: str
    title: str
    summary: str
    modality: tuple[str, ...]
    inputs: tuple[ModelInput, ...]
    labels: tuple[Label, ...]
    licence: Licence
    citation: str
    default: bool = False
    limits: str = ""
    state: str = "ready"
    download_bytes: int = 0


@dataclass(frozen=True)
class Catalogue:
    """The methods, and the models installed where the worker runs."""

    methods: tuple[MethodDescription, ...]
    models: tuple[ModelSummary, ...]


@dataclass(frozen=True)
class WorkerProgress:
    """At most ten a second: fraction in [0, 1], a stage in words, seconds."""

    fraction: float
    stage: str
    elapsed_s: float
    remaining_s: float | None


@dataclass(frozen=True)
class Preview:
    """A running job's estimate so far: (labels, K, J, I) float16 in [0, 1] at its place.

    Its grid is the one that the method works on: coarser than the image's, and of the region only.
    """

    probability: Image


@dataclass(frozen=True)
class Estimate:
    """Of a run to come, measured where it will run; `words` says it in one line. plan: how it will
    be run, where that could be told from the model's card."""

    seconds: float | None
    memory_bytes: int | None
    words: str
    plan: Plan | None = None


@dataclass(frozen=True)
class MemoryReport:
    """Bytes; kept: what is held warm, in words. device_allocated: None without a GPU in use."""

    process_rss: int
    device_allocated: int | None
    kept: tuple[str, ...]
