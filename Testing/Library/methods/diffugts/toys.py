"""DiffuGTS in small: the bundled diffusion model, what is trained set by hand or at random, and
images on which the answer is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from DiffusionSegLib.backbones.manifest import ModelEntry, read_manifest
from DiffusionSegLib.backbones.store import ModelStore, file_sha256
from DiffusionSegLib.methods.diffugts.anomaly_maps import AnomalyMapsConfig
from DiffusionSegLib.methods.diffugts.marked_choice import MARK_FEATURES, MarkedChoice
from DiffusionSegLib.methods.diffugts.networks import WEIGHTS, NetworksConfig, TrainedNetworks
from DiffusionSegLib.methods.diffugts.region_features import FEATURES
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.prompt import Point
from DiffusionSegLib.session import Session
from Testing.Library.backbones.maisi.tiny_maisi import config_of, save_maisi
from Testing.Library.reference.awake import awake
from Testing.Project.source import ROOT

CONFIG = NetworksConfig(AnomalyMapsConfig((64, 128, 128), inner=8, width=8))
SIDE = 64
# Few and small: what is tested is not how good the picture is.
QUICK = {"steps": 2, "seeds": 2, "window": 16, "smallest_window": 8, "margin": 2}
# Of a rule that anybody would write down: what is unlike its surroundings and has an edge.
RULE = {"closed edge": 6.0, "unlike around": 1.0, "air around": -6.0}

MARKED_RULE = {
    "closed edge": 2.0, "marks inside": 2.0, "unlike the marks": -3.0, "off the marks": -2.0,
    "air around": -4.0,
}  # fmt: skip


def toy_networks(seed: int = 0) -> TrainedNetworks:
    """Random maps and projections; the rules and the fusion by hand."""
    networks = awake(TrainedNetworks(CONFIG), seed)
    _weigh_marks(networks.marked)
    with torch.no_grad():
        networks.choice.weigh.weight.zero_()
        for name, weight in RULE.items():
            networks.choice.weigh.weight[0, FEATURES.index(name)] = weight
        networks.choice.weigh.bias.fill_(-6.0)
        networks.choice.expect.load_state_dict(networks.choice.weigh.state_dict())
        for name, value in (("bias", -3.0), ("coarse", 4.5), ("map", 0.2), ("pixel", 0.5)):
            getattr(networks.fusion, name).fill_(value)
        networks.fusion.feature.fill_(0.05)
    return networks


def _weigh_marks(choice: MarkedChoice) -> None:
    """A linear rule: far above 0 the hidden layer's units give back what they get."""
    names = (*FEATURES, *MARK_FEATURES)
    with torch.no_grad():
        for layer in (choice.first, choice.last):
            layer.weight.zero_()
            layer.bias.zero_()
        for name, weight in MARKED_RULE.items():
            choice.first.weight[0, names.index(name)] = weight
        choice.first.bias[0], choice.last.weight[0, 0], choice.last.bias[0] = 50.0, 1.0, -50.0


def toy_card(name: str, **settings: Any) -> dict[str, Any]:
    """What model.json holds."""
    own = {
        "backbone": {"kind": "compact", "name": "compact"},
        "sentences": {"kind": "minilm"},
        "grid": {"side": SIDE},
        "intensities": {"hounsfield": [-160, 240], "percentiles": [0.5, 99.5]},
        "inpainting": QUICK,
        "coarse": {"canvas": 64},
    }
    if name == "trained":
        own |= {"networks": CONFIG.to_dict(), "presence": {"absent": 0.3, "found": 0.6}}
    return {
        "method": "diffugts", "name": name, "title": "Toy", "summary": "For tests.",
        "modality": ["any"], "licence": {"name": "CC0-1.0"}, "citation": "None.",
        "attribution": "None.", "files": [],
        "inputs": [{"name": "image", "kind": "any", "required": True}],
        "labels": [{"value": 1, "name": "Lesion", "color_rgb": [1, 0.5, 0]}],
        "settings": own | settings,
    }  # fmt: skip


def write_card(
    folder: Path, card: dict[str, Any], networks: TrainedNetworks | None = None
) -> ModelEntry:
    """FOLDER/diffugts/NAME, read back by the real code."""
    place = folder / "diffugts" / str(card["name"])
    place.mkdir(parents=True, exist_ok=True)
    if networks is not None:
        file = place / WEIGHTS
        states = {k: v.half().contiguous() for k, v in networks.state_dict().items()}
        save_file(states, str(file))
        size, sha256 = file.stat().st_size, file_sha256(file)
        card = {**card, "files": [{"path": WEIGHTS, "size": size, "sha256": sha256}]}
    (place / "model.json").write_text(json.dumps(card))
    return read_manifest(place / "model.json")


def write_models(folder: Path, volume: bool = False) -> Path:
    """trained: with networks; plain: the same diffusion model without; volume: a small MAISI."""
    write_card(folder, toy_card("trained"), toy_networks())
    write_card(folder, toy_card("plain"))
    if not volume:
        return folder
    save_maisi(folder / "diffugts" / "volume" / "weights", "rflow-mr")
    backbone = {"kind": "maisi", "variant": "rflow-mr", "source": "weights"}
    backbone |= {"config": config_of("rflow-mr")}
    write_card(folder, toy_card("volume", backbone=backbone, grid={"spacing_mm": [1, 1, 1]}))
    return folder


def toy_session(folder: Path, name: str, **options: Any) -> Session:
    """With a model of write_models."""
    store = ModelStore([folder, ROOT / "Resources" / "Models"])
    return Session("diffugts", name, "cpu", store=store, **options)


def ellipsoid(geometry: Geometry, center_ras: Any, radii_mm: Any) -> NDArray[np.bool_]:
    """(k, j, i): which voxels have their center in it; its axes are those of RAS."""
    places = np.indices(geometry.shape_kji).reshape(3, -1).T
    ras = geometry.kji_to_ras(places).reshape(*geometry.shape_kji, 3)
    return np.asarray((((ras - center_ras) / radii_mm) ** 2).sum(axis=-1) <= 1)


def head(rows: int = 64, columns: int = 64, seed: int = 0) -> tuple[Image, NDArray[np.bool_]]:
    """An 8-bit picture: gray tissue in air, and in it a bright lesion off the middle; and where."""
    geometry = Geometry((1, rows, columns))
    scale = np.array([columns, rows, 1.0])
    middle = geometry.kji_to_ras([[0, rows * 0.5, columns * 0.5]])[0]
    off = geometry.kji_to_ras([[0, rows * 0.4, columns * 0.62]])[0]
    tissue = ellipsoid(geometry, middle, scale * 0.42)
    lesion = ellipsoid(geometry, off, scale * 0.11)
    noise = np.random.default_rng(seed).normal(0, 4, tissue.shape)
    array = np.where(lesion, 210, np.where(tissue, 100 + noise, 3))
    return Image(array.clip(0, 255).astype(np.uint8)[None], geometry), lesion


def ball(
    geometry: Geometry, center_ras: Any, radii_mm: Any, body_mm: Any, seed: int = 3
) -> tuple[Image, NDArray[np.bool_]]:
    """A volume: a bright ellipsoid in a larger gray one, around the same place, in air."""
    body, inside = (ellipsoid(geometry, center_ras, radii) for radii in (body_mm, radii_mm))
    noise = np.random.default_rng(seed).normal(0, 4, body.shape)
    array = np.where(inside, 400, np.where(body, 200 + noise, 0)).astype(np.float32)
    return Image(array[None], geometry), inside


def click(image: Image, k: float, j: float, i: float, include: bool = True) -> Point:
    """At a voxel."""
    place = image.geometry.kji_to_ras([[k, j, i]])[0]
    return Point((float(place[0]), float(place[1]), float(place[2])), include)


def dice(first: NDArray[Any], second: NDArray[Any]) -> float:
    inside, true = first != 0, second != 0
    return float(2 * (inside & true).sum() / max(int(inside.sum() + true.sum()), 1))
