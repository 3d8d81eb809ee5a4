"""Pictures, settings and networks so small that a whole run takes seconds."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from DiffusionSegLib.backbones.generative.compact import CompactGenerative
from DiffusionSegLib.training.diffugts.pack import Pack, Picture
from DiffusionSegLib.training.diffugts.settings import GtsSettings
from DiffusionSegLib.training.diffugts.texts import text_pairs
from Testing.Library.backbones.compact.tiny import WIDTH, open_tiny, write_model


def tiny_settings(**changes: object) -> GtsSettings:
    values = {
        "side": 64, "canvas": 48, "cuts": 0.5, "twins": 4, "twin_steps": 1, "maps_steps": 4,
        "maps_batch": 2, "choice_steps": 6, "choice_batch": 2, "marked_steps": 6,
        "residual_steps": 4, "residual_batch": 2, "validate_every": 3,
    }  # fmt: skip
    return GtsSettings(**values | changes)


def tiny_backbone(folder: Path) -> CompactGenerative:
    return CompactGenerative(open_tiny(write_model(folder)))


def body(size: int, number: int) -> Tensor:
    """(size, size) in [0, 255]: a gray disk with texture in the dark."""
    rng = torch.Generator().manual_seed(number)
    line = torch.arange(size) - (size - 1) / 2
    inside = line[:, None] ** 2 + line**2 <= (0.46 * size) ** 2
    return torch.where(inside, 90 + 20 * torch.rand(size, size, generator=rng), 0.0)


def lesion(size: int, row: int, column: int, radius: float) -> Tensor:
    """(size, size) bool."""
    line = torch.arange(size)
    return (line[:, None] - row) ** 2 + (line - column) ** 2 <= radius**2


def tiny_pack(digest: str = "tiny") -> Pack:
    """Two types of tumors, bright disks and dark ones, and healthy pictures."""
    pictures, texts = [], []
    pairs = text_pairs("CT", "liver", ["tumor"])
    for pair in pairs:
        texts += [text for text in pair if text not in texts]
    numbers = tuple((texts.index(a), texts.index(b)) for a, b in pairs)
    for part, count in (("train", 3), ("validation", 2)):
        for number in range(count):
            for kind, shade in (("bright", 200.0), ("dark", 30.0), ("plain", None)):
                size = 60 + 4 * number
                mask = lesion(size, 25 + number, 34, 8.0) & (shade is not None)
                pixels = torch.where(mask, shade or 0.0, body(size, number)).to(torch.uint8)
                case, tumor = f"{kind}/{part}-{number}", "" if shade is None else kind
                pictures.append(
                    Picture(kind, tumor, case, case, part, shade is None, numbers, pixels, mask)
                )
    split = {part: [p.case for p in pictures if p.part == part] for part in ("train", "validation")}
    text = torch.randn(len(texts), WIDTH, generator=torch.Generator().manual_seed(1))
    text = torch.nn.functional.normalize(text, dim=1).half()
    return Pack(tuple(pictures), tuple(texts), text, {**split, "test": ["bright/test-0"]}, digest)
