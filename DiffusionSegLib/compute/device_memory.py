"""The memory of a GPU: how much there is, how much torch holds, and giving back what it hoards.

torch.accelerator has the same under one name, but not in all versions of torch that are supported.
"""

from __future__ import annotations

import sys
from typing import Any

from DiffusionSegLib.compute.lazy_torch import torch_or

__all__ = ["gpu_allocated", "gpu_memory", "release_unused"]


def gpu_memory(device: str, torch: Any = None) -> tuple[int | None, int | None]:
    """(total, free) bytes of a GPU with a number, "cuda:0" or "xpu:0"; None where it is not told.

    Raises RuntimeError when the GPU does not answer.
    """
    kind, _, index = device.partition(":")
    module = getattr(torch_or(torch), kind)
    total = int(module.get_device_properties(int(index or 0)).total_memory)
    try:
        free, total = map(int, module.mem_get_info(int(index or 0)))
    except (AttributeError, RuntimeError):  # an older torch; a driver of Intel's that does not tell
        return total, None
    return total, free


def gpu_allocated(device: str) -> int | None:
    """Bytes of tensors that this process has on a GPU; None for the processor, and before torch
    has used the GPU."""
    torch: Any = sys.modules.get("torch")
    kind = device.partition(":")[0]
    if torch is None or kind not in ("cuda", "xpu", "mps"):
        return None
    if kind == "mps":
        return int(torch.mps.current_allocated_memory())
    module = getattr(torch, kind)
    asked = getattr(module, "memory_allocated", None)  # torch 2.4 has none for Intel
    return int(asked(device)) if asked is not None and module.is_initialized() else None


def release_unused() -> None:
    """Give what torch keeps of freed tensors back to the GPUs that are in use."""
    torch: Any = sys.modules.get("torch")
    if torch is None:
        return
    for module in (torch.cuda, getattr(torch, "xpu", None)):
        if module is not None and module.is_initialized():
            module.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()
