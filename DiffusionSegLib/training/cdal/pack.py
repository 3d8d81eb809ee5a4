"""One packed file with every case on the model's grid, so that training needs nothing but torch.

Layout: safetensors with "image/CASE" (channels, K, J, I) float16 in [-1, 1] and "label/CASE"
(K, J, I) uint8 class indices; the metadata carry the split. Negatives have an all-zero label.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from DiffusionSegLib.errors import InputError


@dataclass(frozen=True)
class PackedCase:
    """image: (channels, K, J, I) float16; label: (K, J, I) uint8 class indices."""

    name: str
    image: Tensor
    label: Tensor


@dataclass(frozen=True)
class Pack:
    """Cases by part: train, validation, test, and negative-train, negative-validation, ..."""

    parts: Mapping[str, tuple[PackedCase, ...]]

    def part(self, name: str) -> tuple[PackedCase, ...]:
        """The cases of one part; empty when there are none."""
        return self.parts.get(name, ())


def read_pack(path: Path, parts: Sequence[str] = ()) -> Pack:
    """Load a packed file (only the named parts, when given) into memory."""
    if not path.is_file():
        raise InputError(f"The packed training data {path} does not exist.")
    try:
        return _read(path, parts)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"The packed training data {path} are damaged ({error}); delete them to pack again."
        ) from error


def write_pack(path: Path, cases: Mapping[str, Sequence[PackedCase]]) -> None:
    """Write the cases of every part."""
    from safetensors.torch import save_file

    tensors: dict[str, Tensor] = {}
    for members in cases.values():
        for case in members:
            tensors[f"image/{case.name}"] = case.image.to(torch.float16).contiguous()
            tensors[f"label/{case.name}"] = case.label.to(torch.uint8).contiguous()
    split = {part: [case.name for case in members] for part, members in cases.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    save_file(tensors, str(partial), metadata={"split": json.dumps(split)})
    os.replace(partial, path)


def _read(path: Path, parts: Sequence[str]) -> Pack:
    with safe_open(str(path), framework="pt") as store:
        split: dict[str, list[str]] = json.loads(store.metadata()["split"])
        chosen = {part: names for part, names in split.items() if not parts or part in parts}
        return Pack({p: tuple(_case(store, n) for n in names) for p, names in chosen.items()})


def _case(store: Any, name: str) -> PackedCase:
    return PackedCase(name, store.get_tensor(f"image/{name}"), store.get_tensor(f"label/{name}"))
