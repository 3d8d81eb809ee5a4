"""Reads checkpoints that only exist as PyTorch writes them: tensors by name, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor

from DiffusionSegLib.errors import ModelError

__all__ = ["read_checkpoint"]

_SAFE_SINCE = (2, 6)  # before, weights_only could be made to run code (CVE-2025-32434)


def read_checkpoint(path: Path) -> Mapping[str, Tensor]:
    """A checkpoint's tensors by name, on the CPU; nothing in the file is executed.

    Raises ModelError for what is missing, damaged, or anything but a table of tensors.
    """
    if not path.is_file():
        raise ModelError(f"The checkpoint {path} does not exist; check its name.")
    _check_version(torch.__version__, path)
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        if "global" in str(error).lower() or "class" in str(error).lower():
            raise ModelError(
                f"The checkpoint {path} holds Python code or objects beside its weights; it was "
                "refused and nothing in it was run. Ask its source for the plain weights."
            ) from error
        raise _damaged(path) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, IndexError) as error:
        raise _damaged(path) from error
    if not isinstance(content, Mapping) or not all(
        isinstance(key, str) and isinstance(value, Tensor) for key, value in content.items()
    ):
        raise ModelError(
            f"The checkpoint {path} is not a table of weights by name; give the network's "
            "checkpoint as it was released."
        )
    return content


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
