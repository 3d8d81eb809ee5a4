"""Checkpoints that survive being killed at any moment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from DiffusionSegLib.errors import ModelError


def save_checkpoint(state: dict[str, Any], path: Path) -> None:
    """Write beside the old file, flush to the disk, then replace: one of the two is always whole."""
    partial = path.with_suffix(".partial")
    with open(partial, "wb") as stream:
        torch.save(state, stream)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(partial, path)


def load_checkpoint(path: Path) -> dict[str, Any] | None:
    """The last whole checkpoint, or None when there is none. Never unpickles objects."""
    if not path.exists():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, OSError, ValueError) as error:
        raise ModelError(
            f"The checkpoint {path} cannot be read ({error}); delete it to start the training again."
        ) from error
    return state
