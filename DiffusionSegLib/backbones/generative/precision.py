"""Half precision that overflows is noticed, and computed again in full."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from DiffusionSegLib.compute.device import memory_errors_explained
from DiffusionSegLib.errors import ModelError

__all__ = ["Switching", "in_numbers"]


class Switching(Protocol):
    """A model that can leave half precision."""

    name: str

    @property
    def dtype(self) -> torch.dtype:
        """The arithmetic in use."""

    def to_float32(self) -> None:
        """All parts, for good."""


def in_numbers(
    model: Switching, what: str, compute: Callable[[], tuple[Tensor, ...]]
) -> tuple[Tensor, ...]:
    """What ``compute`` gives; where that is no numbers, in full precision from now on.

    Raises ModelError when full precision does not help, OutOfMemoryError. what: for the messages.
    """
    with memory_errors_explained(f"{what} with {model.name}"):
        found = compute()
        if not _all_numbers(found) and model.dtype != torch.float32:
            model.to_float32()
            found = compute()
    if not _all_numbers(found):
        raise ModelError(
            f"The model {model.name} gives values that are no numbers in {what}, even in full "
            "precision; its weights are damaged, or so is what it was given."
        )
    return found


def _all_numbers(tensors: tuple[Tensor, ...]) -> bool:
    return all(bool(torch.isfinite(one).all()) for one in tensors)
