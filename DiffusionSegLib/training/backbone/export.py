"""Turns a run, finished or not, into a model folder: fp16 safetensors, model.json and a card."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from DiffusionSegLib.backbones.compact.config import CompactConfig
from DiffusionSegLib.backbones.compact.model import EMPTY_TEXT, METHOD, open_compact
from DiffusionSegLib.backbones.manifest import read_manifest
from DiffusionSegLib.backbones.store import file_sha256
from DiffusionSegLib.errors import InputError
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.backbone.card import card_text
from DiffusionSegLib.training.backbone.denoiser_stage import VALIDATION_TIMESTEPS
from DiffusionSegLib.training.backbone.measure import reconstruction_metrics
from DiffusionSegLib.training.backbone.pack import Pack
from DiffusionSegLib.training.backbone.pictures import write_pictures
from DiffusionSegLib.training.backbone.recorded_command import training_command
from DiffusionSegLib.training.checkpoint import load_checkpoint

__all__ = ["export_model"]

_WEIGHTS = "weights.safetensors"


def export_model(run: Path, pack: Pack, folder: Path, progress: Progress) -> str:
    """Write the averaged weights of a run's last checkpoints and their card into ``folder``.

    Returns a summary sentence; raises InputError when the second stage has no checkpoint yet.
    """
    first = load_checkpoint(run / "autoencoder" / "checkpoint.pt")
    second = load_checkpoint(run / "denoiser" / "checkpoint.pt")
    if first is None or second is None:
        raise InputError(
            f"The run in {run} has no checkpoint of both stages yet; train further, then export."
        )
    config = CompactConfig.from_dict(second["config"])
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{_WEIGHTS}.partial"
    save_file(_weights(second, pack), str(partial), metadata={"format": "pt"})
    os.replace(partial, folder / _WEIGHTS)
    entry = _manifest(folder, config, pack, {"autoencoder": first, "denoiser": second})
    _write(folder, entry)
    model = open_compact(read_manifest(folder / "model.json"))
    entry["metrics"] += reconstruction_metrics(model, pack, progress.part(0.0, 0.4))
    _write(folder, entry)
    write_pictures(model, pack, folder, progress.part(0.4, 1.0))
    measured = second["measured"].get("validation")
    loss = "not measured yet" if measured is None else f"{measured:.4f}"
    return f"Validation loss {loss} after {second['done']} steps; the model is in {folder}."


def _write(folder: Path, entry: Mapping[str, Any]) -> None:
    """The card for people is made from the one for programs, so that they never differ."""
    text = json.dumps(entry, indent=1, ensure_ascii=False) + "\n"
    (folder / "model.json").write_text(text, encoding="utf-8")
    (folder / "CARD.md").write_text(card_text(entry), encoding="utf-8")


def _weights(state: Mapping[str, Any], pack: Pack) -> dict[str, Tensor]:
    weights = {EMPTY_TEXT: pack.text[:1]}
    for part, name in (("autoencoder", "autoencoder"), ("denoiser", "average")):
        weights |= {f"{part}.{key}": value for key, value in state[name].items()}
    return {key: value.to(torch.float16).contiguous() for key, value in weights.items()}


def _manifest(
    folder: Path, config: CompactConfig, pack: Pack, states: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    card = json.loads((files(__package__ or "") / "card.json").read_text("utf-8"))
    weights = folder / _WEIGHTS
    file = {"path": _WEIGHTS, "size": weights.stat().st_size, "sha256": file_sha256(weights)}
    measured = states["denoiser"]["measured"]
    names = {str(t): f"validation_{t}" for t in VALIDATION_TIMESTEPS}
    loss = {t: round(measured[name], 4) for t, name in names.items() if name in measured}
    return {
        "method": METHOD,
        "name": card["name"],
        "title": card["title"],
        "summary": card["summary"],
        "modality": card["modality"],
        "default": True,
        "licence": card["licence"],
        "citation": card["citation"],
        "attribution": card["attribution"],
        "files": [file],
        "inputs": card["inputs"],
        "labels": card["labels"],
        "settings": config.to_dict(),
        "splits": {part: list(cases) for part, cases in pack.split.items()},
        "metrics": [{"split": "validation", "velocity_error_by_timestep": loss}],
        "training": _record(states, pack),
        "data": card["data"],
        "limits": card["limits"],
    }


def _record(states: Mapping[str, Mapping[str, Any]], pack: Pack) -> dict[str, Any]:
    first, second = states["autoencoder"], states["denoiser"]
    counts = {
        "autoencoder_parameters": _count(second["autoencoder"]),
        "denoiser_parameters": _count(second["average"]),
    }
    return {
        "command": training_command(second["settings"]),
        "seed": second["settings"]["seed"],
        "autoencoder_steps": first["done"],
        "steps": second["done"],
        "seconds": round(first["seconds"] + second["seconds"]),
        "device": second["device"],
        "threads": second["threads"],
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "pictures": len(pack.part("train")),
        **counts,
    }


def _count(weights: Mapping[str, Tensor]) -> int:
    return sum(value.numel() for value in weights.values())
