"""Cards of models whose files are random bytes, for tests of what brings them."""

import hashlib
import json
import random
from pathlib import Path

from DiffusionSegLib.backbones.manifest import read_manifest
from Testing.Project.source import ROOT


def content(seed=0, size=120_000):
    return random.Random(seed).randbytes(size)


def file_of(path, data, **more):
    digest = hashlib.sha256(data).hexdigest()
    return {"path": path, "size": len(data), "sha256": digest, **more}


def card_of(name="toy", files=(), **more):
    card = {
        "method": "cdal",
        "name": name,
        "title": f"Toy {name}",
        "summary": "For tests.",
        "modality": ["MR"],
        "licence": {"name": "Toy licence", "url": "https://example.org/toy", "text": "Be kind."},
        "citation": "None.",
        "attribution": "Somebody.",
        "files": list(files),
        "inputs": [{"name": "MR", "kind": "MR"}],
        "labels": [{"value": 1, "name": "part", "color_rgb": [1, 0.5, 0]}],
        "settings": {},
    }
    return {**card, **more}


def write(models: Path, card):
    place = models / card["method"] / card["name"]
    place.mkdir(parents=True, exist_ok=True)
    (place / "model.json").write_text(json.dumps(card))
    return read_manifest(place / "model.json")


def environment(models, **more):
    """Of a process that runs the program from this checkout."""
    import os

    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    return {**kept, "DIFFUSIONSEG_MODELS": str(models), "PYTHONPATH": str(ROOT), **more}
