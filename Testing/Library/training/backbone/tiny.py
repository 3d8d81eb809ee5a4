"""Pictures, settings and networks so small that a step takes milliseconds."""

from __future__ import annotations

import torch
from torch import Tensor

from DiffusionSegLib.training.backbone.pack import Pack, Picture
from DiffusionSegLib.training.backbone.settings import TrainingSettings

CAPTIONS = ("", "a bright disk", "colored stripes")


def tiny_settings(**changes: object) -> TrainingSettings:
    values = {
        "autoencoder_steps": 4, "autoencoder_batch": 2, "autoencoder_side": 32, "steps": 6,
        "batch": 2, "side": 32, "large_side": 64, "large_batch": 1, "large_share": 0.34,
        "warmup": 2, "validate_every": 3, "bf16": False, "ema": 0.5,
    }  # fmt: skip
    return TrainingSettings(**values | changes)


def disk(size: int, radius: float, level: int) -> Tensor:
    """(1, size, size) uint8."""
    line = torch.arange(size) - (size - 1) / 2
    inside = line[:, None] ** 2 + line**2 <= radius**2
    return torch.where(inside, 200, level).to(torch.uint8)[None]


def stripes(rows: int, columns: int, width: int) -> Tensor:
    """(3, rows, columns) uint8."""
    band = (torch.arange(columns) // width % 2 * 150 + 50).expand(rows, -1)
    return torch.stack([band, band // 2, 255 - band]).to(torch.uint8)


def tiny_pack() -> Pack:
    pictures = []
    for part, count in (("train", 4), ("validation", 2)):
        for number in range(count):
            case = f"{part}-{number}"
            gray = disk(40 + number, 9.0 + number, 20 * number)
            pictures.append(Picture("disks", f"disks/{case}", part, gray, (1,)))
            color = stripes(30 + number, 70, 3 + number)
            pictures.append(Picture("stripes", f"stripes/{case}", part, color, (2, 1)))
    split = {part: [p.case for p in pictures if p.part == part] for part in ("train", "validation")}
    split["test"] = ["disks/never-seen"]
    text = torch.randn(3, 5, 384, generator=torch.Generator().manual_seed(1)).half()
    return Pack(tuple(pictures), CAPTIONS, text, {"disks": 3.0, "stripes": 1.0}, split)
