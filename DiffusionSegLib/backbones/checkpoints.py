"""Reads checkpoints that only exist as PyTorch writes them: tensors by name, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from torch import Tensor

from DiffusionSegLib.errors import ModelError

__all__ = ["TrainedCheckpoint", "read_checkpoint", "read_trained_checkpoint"]

_SAFE_SINCE = (2, 6)  # before, weights_only could be made to run code (CVE-2025-32434)
# By the names of numpy 1 and 2: what plain arrays are rebuilt with, and nothing that runs code.
_ARRAY_ROOMS = ("numpy._core.multiarray", "numpy.core.multiarray")


@dataclass(frozen=True)
class TrainedCheckpoint:
    """weights: tensors by name. numbers: what a training run kept beside them."""

    weights: Mapping[str, Tensor]
    numbers: Mapping[str, float]


def read_checkpoint(path: Path) -> Mapping[str, Tensor]:
    """A checkpoint's tensors by name, on the CPU; nothing in the file is executed.

    Raises ModelError for what is missing, damaged, or anything but a table of tensors.
    """
    content = _load(path)
    if not _is_table(content):
        raise _no_table(path)
    return content


def read_trained_checkpoint(path: Path, key: str) -> TrainedCheckpoint:
    """A training run's checkpoint: the table of tensors under ``key``, and the numbers beside it.

    A file without ``key`` is the table itself. A tensor without axes counts as a number. Nothing
    in the file is executed. Raises ModelError as read_checkpoint.
    """
    content = _load(path)
    if not isinstance(content, Mapping):
        raise _no_table(path)
    weights = content.get(key)
    if weights is None:
        weights = {name: value for name, value in content.items() if _number(value) is None}
    if not _is_table(weights) or not weights:
        raise _no_table(path)
    numbers = {str(name): _number(value) for name, value in content.items() if name != key}
    return TrainedCheckpoint(
        {name: value.as_subclass(Tensor) for name, value in weights.items()},
        {name: value for name, value in numbers.items() if value is not None},
    )


def _is_table(content: Any) -> bool:
    return isinstance(content, Mapping) and all(
        isinstance(key, str) and isinstance(value, Tensor) for key, value in content.items()
    )


def _number(value: Any) -> float | None:
    """Of a number, or of a tensor without axes; networks have no such weights."""
    if isinstance(value, Tensor) and value.ndim == 0:
        return float(value.as_subclass(Tensor))
    whole = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if whole else None


def _load(path: Path) -> Any:
    """Whatever plain data the file holds."""
    if not path.is_file():
        raise ModelError(f"The checkpoint {path} does not exist; check its name.")
    _check_version(torch.__version__, path)
    try:
        with torch.serialization.safe_globals(_array_parts()):
            return torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        if "global" in str(error).lower() or "class" in str(error).lower():
            raise ModelError(
                f"The checkpoint {path} holds Python code or objects beside its weights; it was "
                "refused and nothing in it was run. Ask its source for the plain weights."
            ) from error
        raise _damaged(path) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, IndexError) as error:
        raise _damaged(path) from error


def _array_parts() -> list[Any]:
    """Training runs keep the voxel spacing of a scan, a numpy array, beside their numbers."""
    rebuild = np.array(0.0).__reduce__()[0]
    kinds = {type(np.dtype(kind)) for kind in (float, np.float32, int, np.int32, bool)}
    rooms = [(rebuild, f"{room}._reconstruct") for room in _ARRAY_ROOMS]
    return [*rooms, np.ndarray, np.dtype, *kinds]


def _no_table(path: Path) -> ModelError:
    return ModelError(
        f"The checkpoint {path} is not a table of weights by name; give the network's "
        "checkpoint as it was released."
    )


def _check_version(version: str, path: Path) -> None:
    found = tuple(int(part) for part in version.split(".")[:2])
    if found < _SAFE_SINCE:
        raise ModelError(
            f"The checkpoint {path} was not opened: PyTorch {version} can be made to run code by "
            "such a file. Update PyTorch to 2.6 or newer."
        )


def _damaged(path: Path) -> ModelError:
    return ModelError(
        f"The checkpoint {path} cannot be read: it is cut off or no PyTorch checkpoint. "
        "Download it again."
    )
