"""Writes whole cDAL model folders that a test can afford: eight channels, random weights."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from DiffusionSegLib.backbones.manifest import ModelEntry, read_manifest
from DiffusionSegLib.backbones.store import ModelStore, file_sha256
from DiffusionSegLib.methods.cdal.generator import Generator
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.session import Session
from Testing.Library.methods.cdal.tiny import tiny_network

MR, CT = {"name": "MR", "kind": "MR"}, {"name": "CT", "kind": "CT"}
RGB = {"name": "RGB", "kind": "RGB"}
PLANE = {"kind": "native", "window_kji": [1, 16, 16], "largest_kji": [1, 32, 32]}
VOLUME = {"kind": "spacing", "spacing_mm": [1, 1, 1], "window_kji": [8, 16, 16], "overlap": 0.5}
VOLUME |= {"largest_kji": [16, 32, 32]}
ALWAYS = {"absent": 0.0, "found": 0.0, "smallest": 1}  # the verdict is tested on its own

# name: (inputs, labels, grid)
MODELS: Mapping[str, tuple[Sequence[dict[str, Any]], int, dict[str, Any]]] = {
    "gray": ([MR], 1, PLANE),
    "color": ([RGB], 1, PLANE),
    "volume": ([MR], 1, VOLUME),
    "parts": ([MR], 2, VOLUME),
    "pair": ([CT, {**MR, "required": False}], 1, VOLUME),
    "either": ([{**CT, "required": False}, {**MR, "required": False}], 1, VOLUME),
}


def write_toy(folder: Path, name: str, **settings: Any) -> ModelEntry:
    """FOLDER/cdal/NAME with its card and fp16 weights; keywords replace settings of the card."""
    inputs, labels, grid = MODELS[name]
    place = folder / "cdal" / name
    place.mkdir(parents=True, exist_ok=True)
    channels = 3 if inputs == [RGB] else len(inputs)
    network = tiny_network(3 if grid["window_kji"][0] > 1 else 2, labels, channels)
    if labels == 1:
        with torch.no_grad():
            network.out.bias -= 0.25  # about half of an image is inside
    weights = place / "weights.safetensors"
    half = {
        key: value.to(torch.float16).contiguous() for key, value in network.state_dict().items()
    }
    save_file(half, str(weights), metadata={"format": "pt"})
    card = toy_card(name, network, weights)
    card["settings"] |= settings
    return write_card(place, card)


def write_card(place: Path, card: Mapping[str, Any]) -> ModelEntry:
    """Write a card and read it with the real code."""
    (place / "model.json").write_text(json.dumps(card))
    return read_manifest(place / "model.json")


def toy_card(name: str, network: Generator, weights: Path) -> dict[str, Any]:
    """The content of model.json."""
    inputs, labels, grid = MODELS[name]
    channels = network.config.image_channels
    file = {"path": weights.name, "size": weights.stat().st_size, "sha256": file_sha256(weights)}
    return {
        "method": "cdal",
        "name": name,
        "title": f"Toy {name}",
        "summary": "For tests.",
        "modality": [part["kind"] for part in inputs],
        "licence": {"name": "CC0-1.0"},
        "citation": "None.",
        "attribution": "None.",
        "files": [file],
        "inputs": list(inputs),
        "labels": [
            {"value": value, "name": f"part {value}", "color_rgb": [1, 0.5, 0]}
            for value in range(1, labels + 1)
        ],
        "settings": {
            "generator": network.config.to_dict(),
            "noise_steps": 2,
            "grid": grid,
            "intensity": [{"kind": "percentile", "low": 1, "high": 99}] * channels,
            "samples": 3,
            "presence": ALWAYS,
            "target": "the toy",
        },
    }


def toy_session(folder: Path, name: str, **options: Any) -> Session:
    """A session with a toy model in full precision."""
    if not (folder / "cdal" / name).exists():
        write_toy(folder, name)
    options = {"parameters": {"precision": "float32"}, **options}
    return Session("cdal", name, device="cpu", store=ModelStore([folder]), **options)


def smooth_image(geometry: Geometry, names: Sequence[str] = ("MR",), seed: int = 0) -> Image:
    """The same soft waves in the world whatever the grid: int16, one channel per name."""
    grid = np.indices(geometry.shape_kji).reshape(3, -1).T
    ras = geometry.kji_to_ras(grid).reshape(*geometry.shape_kji, 3)
    channels = []
    for number in range(len(names)):
        waves = np.random.default_rng(seed + number).uniform(0.15, 0.35, (3, 3))
        channels.append(sum(np.sin(ras @ wave) for wave in waves))
    array = np.rint(np.stack(channels) * 300 + 1000).astype(np.int16)
    return Image(array, geometry, tuple(names))
