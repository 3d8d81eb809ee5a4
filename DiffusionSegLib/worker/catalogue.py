"""The methods and models installed here, described without loading any."""

from __future__ import annotations

from DiffusionSegLib.backbones.fetching.standing import standing
from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.methods.registry import get_method, method_names
from DiffusionSegLib.worker.answers import Catalogue, ModelSummary

__all__ = ["catalogue"]


def catalogue() -> Catalogue:
    """All methods, and their models."""
    names = method_names()
    models = [_summary(entry) for entry in ModelStore().list() if entry.method in names]
    return Catalogue(tuple(get_method(name).description for name in names), tuple(models))


def _summary(entry: ModelEntry) -> ModelSummary:
    now = standing(entry)
    return ModelSummary(
        id=entry.id,
        method=entry.method,
        name=entry.name,
        title=entry.title,
        summary=entry.summary,
        modality=entry.modality,
        inputs=entry.inputs,
        labels=entry.labels,
        licence=entry.licence,
        citation=entry.citation,
        default=entry.default,
        limits=entry.limits,
        state=now.state,
        download_bytes=now.download_bytes,
    )
