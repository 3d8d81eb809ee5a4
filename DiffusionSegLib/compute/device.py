"""Chooses the device and turns its errors into sentences; torch is imported when asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from DiffusionSegLib.errors import DeviceError, OutOfMemoryError

__all__ = ["memory_errors_explained", "prefers_bfloat16", "resolve_device"]

_NAME = re.compile(r"(cpu|mps|cuda(:\d+)?)")
_MEMORY_WORDS = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "failed to allocate memory",
    "status_alloc_failed",
)


def resolve_device(name: str) -> str:
    """ "auto" becomes the best device there is; any other name is checked. Raises DeviceError."""
    if name == "cpu":
        return name
    import torch

    if name == "auto":
        if torch.cuda.is_available():
            return "cuda:0"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    if not _NAME.fullmatch(name):
        raise DeviceError(f"The device must be auto, cpu, cuda, cuda:N or mps, not {name!r}.")
    if name.startswith("cuda"):
        return _cuda(name)
    if name == "mps" and not torch.backends.mps.is_available():
        raise DeviceError(
            "The device mps (Apple GPU) is not available here; use --device auto or cpu."
        )
    return name


def _cuda(name: str) -> str:
    import torch

    if not torch.cuda.is_available():
        build = (
            "this torch was built without CUDA"
            if torch.version.cuda is None
            else "no NVIDIA GPU answers"
        )
        raise DeviceError(f"The device {name} is not available: {build}. Use --device auto or cpu.")
    index = int(name.partition(":")[2] or 0)
    count = torch.cuda.device_count()
    if index >= count:
        raise DeviceError(
            f"The device {name} does not exist: there are {count} GPUs, numbered from 0."
        )
    return f"cuda:{index}"


def prefers_bfloat16(device: str) -> bool:
    """Whether bfloat16 arithmetic is native there and hence faster."""
    import torch

    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported())
    if device == "cpu":
        capability = torch.backends.cpu.get_cpu_capability()
        return "AVX512" in capability and _has_bf16_instructions()
    return False


def _has_bf16_instructions() -> bool:
    import torch

    try:
        return bool(torch.cpu._is_avx512_bf16_supported())
    except AttributeError:
        return False


@contextmanager
def memory_errors_explained(what: str) -> Iterator[None]:
    """Turn an allocation failure inside the block into OutOfMemoryError naming ``what``."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        text = str(error).lower()
        if isinstance(error, MemoryError) or any(words in text for words in _MEMORY_WORDS):
            raise OutOfMemoryError(
                f"There is not enough memory for {what}; choose a smaller region, fewer samples or "
                "another device."
            ) from error
        raise
