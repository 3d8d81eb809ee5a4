"""ADZUS with a diffusion model of few and random weights, and images on which its answer is known.

Colors and edges decide there; that the shipped weights do better is tested with the samples.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.prompt import Point
from DiffusionSegLib.session import Session
from Testing.Library.backbones.compact.tiny import write_model

TINY = {"kind": "compact", "name": "tiny"}


def write_models(folder: Path, backbone: Any = TINY) -> Path:
    """A folder of models for DIFFUSIONSEG_MODELS: backbone/tiny, and adzus/tiny over it."""
    if not (folder / "backbone" / "tiny").exists():
        write_model(folder / "backbone" / "tiny")
    place = folder / "adzus" / "tiny"
    place.mkdir(parents=True, exist_ok=True)
    card = {
        "method": "adzus",
        "name": "tiny",
        "title": "Anything",
        "summary": "For tests.",
        "modality": ["any"],
        "licence": {"name": "CC0-1.0"},
        "citation": "None.",
        "attribution": "None.",
        "files": [],
        "inputs": [{"name": "image", "kind": "any", "required": True}],
        "labels": [{"value": 1, "name": "structure", "color_rgb": [1, 0.5, 0]}],
        "settings": {"backbone": backbone, "timestep": 100},
    }
    (place / "model.json").write_text(json.dumps(card))
    return folder


def tiny_session(**options: Any) -> Session:
    """With the model of write_models; DIFFUSIONSEG_MODELS has to name its folder."""
    return Session("adzus", "tiny", "cpu", **options)


def ellipsoid(
    geometry: Geometry, center_ras: tuple[float, float, float], radii_mm: tuple[float, ...]
) -> NDArray[np.bool_]:
    """(k, j, i): which voxels have their center in it; its axes are those of RAS."""
    places = np.indices(geometry.shape_kji).reshape(3, -1).T
    ras = geometry.kji_to_ras(places).reshape(*geometry.shape_kji, 3)
    inside = (((ras - center_ras) / radii_mm) ** 2).sum(axis=-1) <= 1
    return np.asarray(inside)


def picture(
    rows: int = 64, columns: int = 64, rgb: bool = False, seed: int = 0
) -> tuple[Image, NDArray[np.bool_]]:
    """A bright ellipse in noise, 8 bits, and which pixels (1, rows, columns) it fills."""
    geometry = Geometry((1, rows, columns))
    middle = geometry.kji_to_ras([[0, rows / 2, columns / 2]])[0]
    inside = ellipsoid(geometry, tuple(middle), (columns / 4, rows / 4, 1.0))
    noise = np.random.default_rng(seed).integers(0, 20, (3, *inside.shape))
    array = (np.where(inside, 180, 60) + noise).astype(np.uint8)
    names = ("red", "green", "blue") if rgb else ("image",)
    return Image(array if rgb else array[:1], geometry, names), inside


def click(image: Image, k: float, j: float, i: float, include: bool = True) -> Point:
    """At a voxel."""
    place = image.geometry.kji_to_ras([[k, j, i]])[0]
    return Point((float(place[0]), float(place[1]), float(place[2])), include)


def dice(first: NDArray[Any], second: NDArray[Any]) -> float:
    inside, true = first != 0, second != 0
    return float(2 * (inside & true).sum() / max(int(inside.sum() + true.sum()), 1))
