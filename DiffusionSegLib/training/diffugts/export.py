"""Turns a finished run into a model folder: fp16 safetensors, model.json and a card."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from DiffusionSegLib.backbones.store import file_sha256
from DiffusionSegLib.methods.diffugts.networks import WEIGHTS
from DiffusionSegLib.training.diffugts.card import card_text
from DiffusionSegLib.training.diffugts.command import BACKBONE, SENTENCES
from DiffusionSegLib.training.diffugts.pack import Pack
from DiffusionSegLib.training.diffugts.settings import PRESETS, GtsSettings
from DiffusionSegLib.training.diffugts.stages import Trained
from DiffusionSegLib.training.presets import given_settings

__all__ = ["METHOD", "export_model", "training_command"]

METHOD = "diffugts"


def export_model(
    trained: Trained, settings: GtsSettings, pack: Pack, device: str, folder: Path
) -> str:
    """Write weights and cards into ``folder``; returns a summary sentence."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {
        name: value.detach().cpu().to(torch.float16).contiguous()
        for name, value in trained.networks.state_dict().items()
    }
    partial = folder / f"{WEIGHTS}.partial"
    save_file(weights, str(partial), metadata={"format": "pt"})
    os.replace(partial, folder / WEIGHTS)
    entry = _manifest(trained, settings, pack, device, folder / WEIGHTS)
    text = json.dumps(entry, indent=1, ensure_ascii=False) + "\n"
    (folder / "model.json").write_text(text, encoding="utf-8")
    (folder / "CARD.md").write_text(card_text(entry), encoding="utf-8")
    return f"The model is in {folder}; {WEIGHTS} has {entry['files'][0]['size']:,} bytes."


def training_command(settings: Mapping[str, Any]) -> str:
    """Packing and training, as a person would type them."""
    given = {name: value for name, value in settings.items() if name != "leave_out"}
    left = settings["leave_out"]
    options = given_settings(given, PRESETS)
    more = f" --leave-out {left}" if left else ""
    name = f"diffugts-{left}" if left else "diffugts"
    return (
        "diffusionseg train diffugts --data DATA --packed diffugts.safetensors --pack-only\n"
        "diffusionseg train diffugts --packed diffugts.safetensors --prepared runs/prepared "
        f"--output runs/{name}{more} {options}"
    )


def _manifest(
    trained: Trained, settings: GtsSettings, pack: Pack, device: str, weights: Path
) -> dict[str, Any]:
    card = json.loads((files(__package__ or "") / "card.json").read_text("utf-8"))
    file = {"path": WEIGHTS, "size": weights.stat().st_size, "sha256": file_sha256(weights)}
    limits, presence = ("absent", "found"), trained.presence
    left = settings.leave_out
    return {
        "method": METHOD,
        "name": f"without-{left}" if left else card["name"],
        "title": f"{card['title']}, trained without {left} tumors" if left else card["title"],
        "summary": card["summary"],
        "modality": card["modality"],
        "default": not left,
        "licence": card["licence"],
        "citation": card["citation"],
        "attribution": card["attribution"],
        "files": [file],
        "inputs": card["inputs"],
        "labels": card["labels"],
        "settings": {
            "backbone": BACKBONE,
            "sentences": SENTENCES,
            "networks": trained.networks.config.to_dict(),
            "grid": {"side": settings.side},
            "intensities": card["intensities"],
            "coarse": {
                "canvas": settings.canvas, "threshold": trained.threshold, "along_mm": 6.0,
            },
            "inpainting": card["inpainting"],
            "grow_pixels": round(settings.grow * settings.side, 2),
            "presence": {name: presence[name] for name in limits},
        },
        "splits": {part: list(cases) for part, cases in pack.split.items()},
        "metrics": [
            *trained.measured,
            {"split": "validation", "presence": presence, "false_alarms": settings.false_alarms},
        ],
        "training": {
            "command": training_command(asdict(settings)),
            "seed": settings.seed,
            "left_out": left,
            "steps": trained.steps,
            "seconds": round(trained.seconds),
            "device": device,
            "threads": torch.get_num_threads(),
            "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
            "pictures": len(pack.part("train")),
            "parameters": sum(value.numel() for value in trained.networks.parameters()),
        },
        "data": card["data"],
        "limits": card["limits"],
    }  # fmt: skip
