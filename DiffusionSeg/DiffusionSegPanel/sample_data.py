"""The bundled sample images in Slicer's Sample Data module. Light: runs when Slicer starts."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import slicer

__all__ = ["registerSampleData", "sampleEntries", "samplesFolder"]

_CATEGORY = "DiffusionSeg"


def samplesFolder() -> Path | None:
    """Inside the engine's package when installed, beside it in a checkout; None when missing."""
    found = importlib.util.find_spec("DiffusionSegLib")
    if found is None or found.origin is None:
        return None
    package = Path(found.origin).parent
    for folder in (package / "Resources" / "Samples", package.parent / "Resources" / "Samples"):
        if (folder / "samples.json").is_file():
            return folder
    return None


def sampleEntries() -> list[dict[str, Any]]:
    """What samples.json says; empty when there are no samples."""
    folder = samplesFolder()
    if folder is None:
        return []
    entries: list[dict[str, Any]] = json.loads((folder / "samples.json").read_text("utf-8"))
    return entries


def registerSampleData() -> None:
    """One entry per sample, loaded from its file; nothing happens without the SampleData module."""
    if importlib.util.find_spec("SampleData") is None or not hasattr(slicer.modules, "sampledata"):
        return
    from SampleData import SampleDataLogic

    folder = samplesFolder()
    for entry in sampleEntries():
        paths = [folder / name for name in entry["images"]]
        SampleDataLogic.registerCustomSampleDataSource(
            category=_CATEGORY,
            sampleName=f"{entry['title']} ({entry['id']})",
            uris=[path.as_uri() for path in paths],
            fileNames=[path.name for path in paths],
            nodeNames=[path.name.partition(".")[0] for path in paths],
            checksums=[f"SHA256:{entry['sha256'][name]}" for name in entry["images"]],
            loadFileType="VolumeFile",
        )
