"""Whether a device computes at all: the smallest computation on it."""

from __future__ import annotations

from typing import Any

from DiffusionSegLib.compute.lazy_torch import torch_or

__all__ = ["trial_failure"]


def trial_failure(device: str, torch: Any = None) -> Exception | None:
    """What goes wrong with 1 + 1 on a device; None when it succeeds.

    A GPU that is counted need not compute: no kernels for so new or so old a GPU, a full memory,
    another process that has it alone.
    """
    torch = torch_or(torch)
    try:
        value = (torch.ones(1, device=device) + 1).item()
    except (RuntimeError, AssertionError, OSError, ImportError) as error:
        return error
    return None if value == 2 else ArithmeticError(f"1 + 1 is {value} there")
