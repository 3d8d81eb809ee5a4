"""One packed file with all pictures and captions, so that training needs nothing but torch.

Layout: safetensors with "pictures", one run of bytes, and "text", (captions, tokens, features)
float16 states. The metadata's "index" is JSON: the captions, where each picture lies, and the
split. A picture's bytes are those of zlib over differences along the rows, which takes half the
room of the plain pixels and needs no image library.
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
    """pixels: (1 or 3, rows, columns) uint8. captions: numbers of those that describe it.

    source: its kind of image; case: "FOLDER/CASE"; part: of the split.
    """

    source: str
    case: str
    part: str
    pixels: Tensor
    captions: tuple[int, ...]


@dataclass(frozen=True)
class Pack:
    """captions: the texts; text: (captions, tokens, features) float16, the first is the empty one.

    weights: of each source, how often it is drawn. split: "FOLDER/CASE" by part, also of the cases
    that are not in the file, such as the test part's.
    """

    pictures: tuple[Picture, ...]
    captions: tuple[str, ...]
    text: Tensor
    weights: Mapping[str, float]
    split: Mapping[str, Sequence[str]]

    def part(self, name: str) -> tuple[Picture, ...]:
        """The pictures of one part."""
        return tuple(picture for picture in self.pictures if picture.part == name)


def write_pack(path: Path, pack: Pack) -> None:
    """Write beside the old file, then replace it."""
    rows, pieces, start = [], [], 0
    for picture in pack.pictures:
        packed = squeeze(picture.pixels.numpy())
        row: dict[str, Any] = {"source": picture.source, "case": picture.case, "part": picture.part}
        row |= {"shape": list(picture.pixels.shape), "captions": list(picture.captions)}
        rows.append(row | {"start": start, "bytes": len(packed)})
        pieces.append(packed)
        start += len(packed)
    index = {"pictures": rows, "captions": pack.captions, "weights": dict(pack.weights)}
    index["split"] = {part: list(cases) for part, cases in pack.split.items()}
    write_packed(path, pieces, pack.text, index)


def read_pack(path: Path) -> Pack:
    """All pictures, unpacked in memory; raises InputError for a missing or damaged file."""
    if not path.is_file():
        raise InputError(f"The packed training data {path} does not exist.")
    try:
        return _read(path)
    except (SafetensorError, KeyError, TypeError, ValueError, zlib.error) as error:
        raise InputError(
            f"The packed training data {path} are damaged ({error}); delete them to pack again."
        ) from error


def _read(path: Path) -> Pack:
    with safe_open(str(path), framework="pt") as store:
        index: dict[str, Any] = json.loads((store.metadata() or {})["index"])
        joined = store.get_tensor("pictures").numpy()
        text = store.get_tensor("text")
    pictures = tuple(_picture(row, joined) for row in index["pictures"])
    weights = {str(name): float(value) for name, value in index["weights"].items()}
    captions = tuple(map(str, index["captions"]))
    if text.ndim != 3 or len(captions) != len(text):
        raise ValueError(f"{len(captions)} captions have {len(text)} texts")
    return Pack(pictures, captions, text, weights, dict(index["split"]))


def _picture(row: Mapping[str, Any], joined: NDArray[np.uint8]) -> Picture:
    channels, rows, columns = row["shape"]
    piece = joined[row["start"] : row["start"] + row["bytes"]]
    pixels = expand(piece.tobytes(), (channels, rows, columns))
    captions = tuple(int(number) for number in row["captions"])
    return Picture(row["source"], row["case"], row["part"], torch.from_numpy(pixels), captions)
