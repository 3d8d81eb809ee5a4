"""Turns a finished run into a model folder: fp16 safetensors, model.json and a card to read."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from DiffusionSegLib.backbones.store import file_sha256
from DiffusionSegLib.methods.cdal.ensemble import EnsembleSettings
from DiffusionSegLib.methods.cdal.generator import Generator
from DiffusionSegLib.methods.cdal.presence import PresenceEvidence, PresenceLimits
from DiffusionSegLib.methods.cdal.volume_ensemble import VolumeSampler
from DiffusionSegLib.methods.cdal.windows import ArraySource
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.cdal.card import card_text
from DiffusionSegLib.training.cdal.pack import PackedCase
from DiffusionSegLib.training.cdal.settings import Task
from DiffusionSegLib.training.cdal.trainer import Trainer
from DiffusionSegLib.training.cdal.validation import dice_per_label

_WEIGHTS = "weights.safetensors"
_SAMPLES = 5
_DOUBT = 0.9  # a true object turned away costs more than a false alarm
_SMALLER = 0.2
_FALSE_ALARMS = 0.05  # share of validation negatives that may pass as present


def export_model(trainer: Trainer, folder: Path, progress: Progress) -> None:
    """Write the best weights of a run, the limits of its verdict and its card into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = trainer.best_weights or trainer.steps.average.network.state_dict()
    half = {name: value.to(torch.float16).contiguous() for name, value in weights.items()}
    partial = folder / f"{_WEIGHTS}.partial"
    save_file(half, str(partial), metadata={"format": "pt"})
    network = Generator(trainer.task.generator).to(trainer.device).eval().requires_grad_(False)
    network.load_state_dict({name: value.float() for name, value in half.items()})
    measured = measure(trainer, network, progress)
    os.replace(partial, folder / _WEIGHTS)  # an older model stays whole until here
    entry = manifest(trainer, folder, measured)
    (folder / "model.json").write_text(json.dumps(entry, indent=1) + "\n", encoding="utf-8")
    (folder / "CARD.md").write_text(card_text(entry), encoding="utf-8")


def measure(trainer: Trainer, network: Generator, progress: Progress) -> dict[str, Any]:
    """Validation Dice with the shipped ensemble, and the verdict's limits."""
    task = trainer.task
    rows, positive, negative = [], [], []
    validation = trainer.pack.part("validation")
    for case in progress.part(0, 0.6).track(validation, "Measuring the validation part"):
        mean, evidence = _evidence(trainer, network, case)
        inside = mean.sum(axis=0) >= 0.5
        classes = np.where(inside, mean.argmax(axis=0) + 1, 0).astype(np.uint8)
        rows.append(dice_per_label(classes, case.label.numpy(), task.labels))
        positive.append(evidence)
    for case in progress.part(0.6, 1).track(negatives(trainer), "Measuring negatives"):
        negative.append(_evidence(trainer, network, case)[1])
    known = [*validation, *trainer.pack.part("train")]
    limits = presence_limits(known, positive, negative)
    return {
        "dice": [round(float(v), 4) for v in np.mean(rows, axis=0)],
        "presence": {"absent": limits.absent, "found": limits.found, "smallest": limits.smallest},
        "negatives": len(negative),
        "alarms": sum(e.score(limits) >= limits.absent for e in negative),
    }


def negatives(trainer: Trainer) -> Sequence[PackedCase]:
    """Images without the object that training did not see; training's own where there are none."""
    held_out = trainer.pack.part("negative-validation")
    return held_out or trainer.pack.part("negative-train")


def presence_limits(
    cases: Sequence[PackedCase],
    positive: Sequence[PresenceEvidence],
    negative: Sequence[PresenceEvidence],
) -> PresenceLimits:
    """smallest: a fifth of the smallest object among ``cases``. absent: lets 5 % of the negatives
    through, but stays below nine tenths of the score that nine of ten true cases reach; found:
    above it."""
    sizes = [float((case.label > 0).sum()) for case in cases if bool((case.label > 0).any())]
    smallest = _SMALLER * min(sizes) if sizes else 1.0
    base = PresenceLimits(0.0, 0.0, smallest)
    present = np.array([e.score(base) for e in positive] or [1.0])
    low = float(np.quantile(present, 0.1))
    alarms = np.array([e.score(base) for e in negative] or [0.0])
    absent = min(max(float(np.quantile(alarms, 1 - _FALSE_ALARMS)) + 1e-3, 0.3), _DOUBT * low)
    found = min(max(absent + 0.02, 0.9 * low), 0.99)
    return PresenceLimits(round(absent, 4), round(found, 4), round(smallest, 1))


def manifest(trainer: Trainer, folder: Path, measured: Mapping[str, Any]) -> dict[str, Any]:
    """The content of model.json."""
    task, card = trainer.task, trainer.task.card
    weights = folder / _WEIGHTS
    file = {"path": _WEIGHTS, "size": weights.stat().st_size, "sha256": file_sha256(weights)}
    return {
        "method": "cdal",
        "name": task.name,
        "title": card["title"],
        "summary": card["summary"],
        "modality": card["modality"],
        "default": bool(card.get("default", False)),
        "licence": card["licence"],
        "citation": card["citation"],
        "attribution": card["attribution"],
        "files": [file],
        "inputs": card["inputs"],
        "labels": card["labels"],
        "settings": {
            "generator": task.generator.to_dict(),
            "noise_steps": task.noise_steps,
            "grid": task.source["grid"],
            "intensity": task.source["intensity"],
            "samples": int(card.get("samples", _SAMPLES)),
            "presence": measured["presence"],
            "target": card["target"],
        },
        "splits": {
            part: [case.name for case in trainer.pack.part(part)]
            for part in ("train", "validation", "test")
        },
        "metrics": [{"split": "validation", "dice": measured["dice"], "grid": "model"}],
        "training": _record(trainer, measured),
        "limits": card["limits"],
    }


def _record(trainer: Trainer, measured: Mapping[str, Any]) -> dict[str, Any]:
    task = trainer.task
    stages = trainer.stages
    parameters = sum(p.numel() for p in trainer.steps.generator.parameters())
    return {
        "data": task.card["data"],
        "command": "\n".join(stage["command"] for stage in stages),
        "mode": task.training.mode,
        "steps": sum(stage["steps"] for stage in stages),
        "batch": task.training.batch,
        "seed": task.training.seed,
        "device": str(trainer.device),
        "threads": torch.get_num_threads(),
        "seconds": round(sum(stage["seconds"] for stage in stages)),
        "parameters": parameters,
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "validation_negatives": measured["negatives"],
        "validation_false_alarms": measured["alarms"],
    }


def _evidence(
    trainer: Trainer, network: Generator, case: PackedCase
) -> tuple[np.ndarray[Any, np.dtype[np.float32]], PresenceEvidence]:
    task = trainer.task
    sampler = VolumeSampler(
        network, trainer.steps.process, task.grid, task.labels, EnsembleSettings(_SAMPLES, 0.01), 0
    )
    with torch.inference_mode():
        result = sampler.run(ArraySource(case.image.float().numpy()))
    evidence = PresenceEvidence()
    evidence.add(result.mean, result.agreement)
    return result.mean, evidence


__all__ = ["Task", "export_model", "manifest", "measure", "negatives", "presence_limits"]
