"""A training task that a test can afford: eight channels, 16 x 16 windows, discs on noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from DiffusionSegLib.training.cdal.pack import Pack, PackedCase
from DiffusionSegLib.training.cdal.settings import Task

QUIET = {"rotate_deg": 0, "scale": 0, "shift": 0, "gain": 0, "bias": 0, "gamma": 0}
QUIET |= {"noise": 0, "blur": 0}


def task_values(labels: int = 1, **training: Any) -> dict[str, Any]:
    """The JSON layout of a task; keywords replace training settings."""
    return {
        "name": "discs",
        "card": {},
        "channels": ["image"],
        "label_values": list(range(1, labels + 1)),
        "intensity": [{"kind": "percentile", "low": 1, "high": 99}],
        "grid": {"kind": "native", "window_kji": [1, 16, 16]},
        "noise_steps": 2,
        "generator": {
            "width": 8,
            "channel_multipliers": [1, 2],
            "condition_blocks": 1,
            "latent_size": 4,
            "latent_width": 8,
            "mask_channels": 1 if labels == 1 else labels + 1,
            "dropout": 0.1,  # draws from the global generator, which a checkpoint must keep
        },
        "discriminator": {
            "mask_channels": 1 if labels == 1 else labels + 1,
            "time_width": 8,
            "channels": [8, 8, 8],
            "halves": [True, True],
        },
        "training": {
            "steps": 6,
            "batch": 2,
            "warmup": 2,
            "attention_level": 1,
            "attention_probability": 0.5,
            "corruption_probability": 0.3,
            "r1_every": 2,
            "validate_every": 2,
            "negative_probability": 0.3,
            **training,
        },
        "augmentation": {"flips": [1, 2], "quarter_turns": True},
    }


def tiny_task(labels: int = 1, **training: Any) -> Task:
    return Task.from_dict(task_values(labels, **training))


def disc(name: str, seed: int, labels: int = 1, side: int = 20) -> PackedCase:
    """A disc (an inner one for each further label) that is brighter than the noise around it."""
    rng = np.random.default_rng(seed)
    center = rng.uniform(8, side - 8, 2)
    distance = np.hypot(*(np.indices((side, side)) - center[:, None, None]))
    label = sum((distance < 6 / n).astype(np.uint8) for n in range(1, labels + 1))
    image = label / labels + rng.normal(0, 0.2, (side, side)) - 0.5
    return PackedCase(
        name,
        torch.from_numpy(image.clip(-1, 1).astype(np.float16))[None, None],
        torch.from_numpy(label.astype(np.uint8))[None],
    )


def disc_pack(labels: int = 1) -> Pack:
    parts = {
        "train": tuple(disc(f"t{n}", n, labels) for n in range(4)),
        "validation": tuple(disc(f"v{n}", 10 + n, labels) for n in range(2)),
    }
    empty = disc("negative-0", 20, labels)
    negative = PackedCase("negative-0", -empty.image, torch.zeros_like(empty.label))
    return Pack({**parts, "negative-train": (negative,)})
