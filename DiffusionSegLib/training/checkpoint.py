"""Checkpoints that survive being killed at any moment."""

from __future__ import annotations

import os
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from DiffusionSegLib.errors import ModelError, OutputError


def save_checkpoint(state: dict[str, Any], path: Path) -> None:
    """Write beside the old file, then replace it: whenever this is killed, a whole one is there.

    The name of the partial file is fixed, so that kills do not leave a heap of them behind.
    """
    partial = path.with_suffix(".partial")
    try:
        with open(partial, "wb") as stream:
            torch.save(state, stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(partial, path)
    except OSError as error:
        raise OutputError(
            f"The checkpoint {path} could not be written ({error}); free some space or make the "
            "folder writable, then start the same training again to continue."
        ) from error


def load_checkpoint(path: Path) -> dict[str, Any] | None:
    """The last whole checkpoint, or None when there is none. Never unpickles objects."""
    if not path.exists():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, OSError, ValueError, UnpicklingError) as error:
        raise ModelError(
            f"The checkpoint {path} cannot be read: it is damaged. "
            "Delete it to start the training again."
        ) from error
    return state
