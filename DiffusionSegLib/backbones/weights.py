"""Reads weights: checked first, and never by unpickling."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.backbones.store import file_sha256
from DiffusionSegLib.errors import ModelError

__all__ = ["load_weights", "read_safetensors"]

_PICKLE_STARTS = (b"\x80", b"PK\x03\x04")


def load_weights(entry: ModelEntry, path: str = "weights.safetensors") -> dict[str, Tensor]:
    """Tensors of one file of a model, after its sha256 was compared with the card's."""
    part = entry.file(path)
    file = entry.folder / path
    if not file.is_file():
        raise ModelError(f"The weights {file} of the model {entry.id} are missing; install them again.")
    _refuse_pickle(file)
    if file.stat().st_size < part.size:
        raise ModelError(
            f"The weights {file} have {file.stat().st_size} bytes instead of {part.size}: the file is "
            "cut off; install the model again."
        )
    if file_sha256(file) != part.sha256:
        raise ModelError(
            f"The weights {file} do not have the sha256 that the card of {entry.id} names: the file is "
            "damaged or was exchanged; install the model again."
        )
    return read_safetensors(file)


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
        start = stream.read(4)
    if start.startswith(_PICKLE_STARTS):
        raise ModelError(
            f"The file {file} is a pickle, which can run code, and not safetensors; it was not opened. "
            "Convert a checkpoint that you trust with 'diffusionseg convert'."
        )
