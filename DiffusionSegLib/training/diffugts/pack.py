"""One packed file with pictures, masks and the vectors of all texts, so that training needs nothing
but torch, numpy, scipy and safetensors.

Layout: safetensors with "pictures", one run of bytes (see squeeze: the picture, then its mask), and
"text", (texts, width) float16 sentence vectors. The metadata's "index" is JSON: the texts, where
each picture lies, and the split.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.training.packed_file import write_packed
from DiffusionSegLib.training.squeeze import expand, squeeze

__all__ = ["Pack", "Picture", "read_pack", "write_pack"]


@dataclass(frozen=True)
class Picture:
    """pixels: (rows, columns) uint8; mask: the same, bool, where the tumor is.

    kind: of images; tumor: type that is left out together, "" for none; case: "FOLDER/CASE";
    patient: within its kind; part: of the split. healthy: whether it is known to show no tumor.
    texts: numbers of (normal, abnormal) texts that fit it, the plainest first.
    """

    kind: str
    tumor: str
    case: str
    patient: str
    part: str
    healthy: bool
    texts: tuple[tuple[int, int], ...]
    pixels: Tensor
    mask: Tensor

    @property
    def has_tumor(self) -> bool:
        """Whether any pixel is of a tumor."""
        return bool(self.mask.any())


@dataclass(frozen=True)
class Pack:
    """texts: what text[n] is the vector of; text: (texts, width) float16. split: "FOLDER/CASE" by
    part, also of the cases that are not in the file, such as the test part's. digest: of the file
    that it was read from, "" for none."""

    pictures: tuple[Picture, ...]
    texts: tuple[str, ...]
    text: Tensor
    split: Mapping[str, Sequence[str]]
    digest: str = ""

    def part(self, name: str) -> tuple[Picture, ...]:
        """The pictures of one part."""
        return tuple(picture for picture in self.pictures if picture.part == name)


_PLAIN = ("kind", "tumor", "case", "patient", "part", "healthy", "texts")


def write_pack(path: Path, pack: Pack) -> None:
    """Write beside the old file, then replace it."""
    rows, pieces, start = [], [], 0
    for picture in pack.pictures:
        sizes = []
        for array in (picture.pixels, picture.mask.to(torch.uint8)):
            pieces.append(squeeze(array.numpy()))
            sizes.append(len(pieces[-1]))
        row = {name: getattr(picture, name) for name in _PLAIN}
        rows.append({**row, "shape": list(picture.pixels.shape), "start": start, "bytes": sizes})
        start += sum(sizes)
    index: dict[str, Any] = {"pictures": rows, "texts": pack.texts}
    index["split"] = {part: list(cases) for part, cases in pack.split.items()}
    write_packed(path, pieces, pack.text, index)


def read_pack(path: Path) -> Pack:
    """All pictures, unpacked in memory; raises InputError for a missing or damaged file."""
    from DiffusionSegLib.backbones.store import file_sha256

    if not path.is_file():
        raise InputError(f"The packed training data {path} does not exist.")
    try:
        return _read(path, file_sha256(path))
    except (SafetensorError, KeyError, TypeError, ValueError, zlib.error) as error:
        raise InputError(
            f"The packed training data {path} are damaged ({error}); delete them to pack again."
        ) from error


def _read(path: Path, digest: str) -> Pack:
    with safe_open(str(path), framework="pt") as store:
        index: dict[str, Any] = json.loads((store.metadata() or {})["index"])
        joined = store.get_tensor("pictures").numpy()
        text = store.get_tensor("text")
    texts = tuple(map(str, index["texts"]))
    if text.ndim != 2 or len(texts) != len(text):
        raise ValueError(f"{len(texts)} texts have {len(text)} vectors")
    pictures = tuple(_picture(row, joined) for row in index["pictures"])
    return Pack(pictures, texts, text, dict(index["split"]), digest)


def _picture(row: Mapping[str, Any], joined: NDArray[np.uint8]) -> Picture:
    first, second = row["bytes"]
    middle = row["start"] + first
    pixels = expand(joined[row["start"] : middle].tobytes(), row["shape"])
    mask = expand(joined[middle : middle + second].tobytes(), row["shape"])
    plain = {name: row[name] for name in _PLAIN if name != "texts"}
    texts = tuple((int(normal), int(abnormal)) for normal, abnormal in row["texts"])
    return Picture(
        **plain, texts=texts, pixels=torch.from_numpy(pixels), mask=torch.from_numpy(mask > 0)
    )
