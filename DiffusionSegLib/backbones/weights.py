"""Reads weights: checked first, and never by unpickling."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.backbones.store import check_file, file_path
from DiffusionSegLib.errors import ModelError

__all__ = ["load_weights", "read_safetensors"]

_PICKLE_STARTS = (b"\x80", b"PK\x03\x04")


def load_weights(entry: ModelEntry, path: str = "weights.safetensors") -> dict[str, Tensor]:
    """Tensors of one file of a model, after its sha256 was compared with the card's."""
    part = entry.file(path)
    file = file_path(entry, part)
    if file.is_file():
        _refuse_pickle(file)
    return read_safetensors(check_file(entry, part))


def read_safetensors(file: Path) -> dict[str, Tensor]:
    """Tensors of a safetensors file; raises ModelError for anything else."""
    _refuse_pickle(file)
    try:
        tensors: dict[str, Tensor] = load_file(str(file))
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(f"The weights {file} are damaged and cannot be read: {error}.") from error
    return tensors


def _refuse_pickle(file: Path) -> None:
    with open(file, "rb") as stream:
        start = stream.read(9)
    if start.startswith(_PICKLE_STARTS) and not _has_header(start, file.stat().st_size):
        raise ModelError(
            f"The file {file} is a pickle, which can run code, and not safetensors; it was not "
            "opened. Convert a checkpoint that you trust with 'diffusionseg convert'."
        )


def _has_header(start: bytes, size: int) -> bool:
    """Whether a JSON header of the announced length follows: the length's first byte may well be
    one that a pickle starts with."""
    return start[8:] == b"{" and int.from_bytes(start[:8], "little") + 8 <= size
