"""Chooses the device and turns its errors into sentences; torch is imported when asked."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from DiffusionSegLib.compute.lazy_torch import torch_or
from DiffusionSegLib.compute.trial import trial_failure
from DiffusionSegLib.errors import DeviceError, OutOfMemoryError

__all__ = [
    "has_own_memory",
    "is_device_name",
    "is_memory_failure",
    "memory_errors_explained",
    "prefers_bfloat16",
    "prefers_float16",
    "resolve_device",
]

_LOG = logging.getLogger(__name__)
_NAME = re.compile(r"(cpu|mps|(cuda|xpu)(:[0-9]+)?)")
_MEMORY_WORDS = (
    "out of memory",
    "out_of_device_memory",
    "out_of_host_memory",
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "failed to allocate memory",
    "status_alloc_failed",
    "bad_alloc",
    "invalid buffer size",  # how Metal says it
    "could not create a primitive",  # how oneDNN says it; elsewhere our networks never meet it
    "could not create a memory",
)
_AMPERE = 8  # the first NVIDIA GPUs with bfloat16 of their own; older ones emulate it, slowly


def is_device_name(name: str) -> bool:
    """Whether this can be the name of a device: "auto" or one that torch knows, if it is there."""
    return name == "auto" or _NAME.fullmatch(name) is not None


def resolve_device(name: str, torch: Any = None) -> str:
    """ "auto" becomes the best device that computes; any other name is checked, and gets a number.

    The best is the first of: NVIDIA and AMD GPUs ("cuda"), Intel GPUs ("xpu"), Apple's GPU ("mps"),
    the processor. Raises DeviceError.
    """
    if name == "cpu":
        return name
    if not is_device_name(name):
        raise DeviceError(
            f"The device must be auto, cpu, cuda, cuda:N, xpu, xpu:N or mps, not {name!r}."
        )
    torch = torch_or(torch)
    if name == "auto":
        return _best(torch)
    if name == "mps":
        if not torch.backends.mps.is_available():
            raise DeviceError(
                "The device mps (Apple GPU) is not available here; use --device auto or cpu."
            )
        return name
    return _numbered(name, torch)


def _best(torch: Any) -> str:
    for kind in ("cuda", "xpu"):
        for index in range(_count(torch, kind)):
            if _computes(f"{kind}:{index}", torch):
                return f"{kind}:{index}"
    if torch.backends.mps.is_available() and _computes("mps", torch):
        return "mps"
    return "cpu"


def _count(torch: Any, kind: str) -> int:
    module = getattr(torch, kind, None)  # builds of other makers may lack a kind
    return int(module.device_count()) if module is not None and module.is_available() else 0


def _computes(device: str, torch: Any) -> bool:
    failure = trial_failure(device, torch)
    if failure is not None:
        _LOG.warning(
            "The device %s is left out: the smallest computation fails there (%s).",
            device,
            " ".join(str(failure).split())[:300],
        )
    return failure is None


def _numbered(name: str, torch: Any) -> str:
    kind, _, index = name.partition(":")
    count = _count(torch, kind)
    if count == 0:
        raise DeviceError(
            f"The device {name} is not available: {_lack(torch, kind)}. Use --device auto or cpu."
        )
    if int(index or 0) >= count:
        raise DeviceError(
            f"The device {name} does not exist: there are {count} GPUs, numbered from 0."
        )
    return f"{kind}:{int(index or 0)}"


def _lack(torch: Any, kind: str) -> str:
    if kind == "xpu":
        built = hasattr(torch, "xpu") and torch.xpu._is_compiled()
        return "no Intel GPU answers" if built else "this torch was built without Intel's XPU"
    if getattr(torch.version, "hip", None) is not None:
        return "no AMD GPU answers"
    built = torch.version.cuda is not None
    return "no NVIDIA GPU answers" if built else "this torch was built without CUDA"


def has_own_memory(device: str) -> bool:
    """Whether it is a GPU with a memory beside the computer's, which is smaller as a rule."""
    return device.startswith(("cuda", "xpu"))


def prefers_float16(device: str) -> bool:
    """Whether the public backbones are opened in half precision there: it is faster on NVIDIA,
    AMD and Intel GPUs, and takes half the memory. Apple's GPU keeps float32 (our choice: untried).
    """
    return device.startswith(("cuda", "xpu"))


def prefers_bfloat16(device: str, torch: Any = None) -> bool:
    """Whether bfloat16 arithmetic is native there and hence faster."""
    torch = torch_or(torch)
    if device.startswith("cuda"):
        if getattr(torch.version, "hip", None) is None:
            return bool(torch.cuda.get_device_capability(device)[0] >= _AMPERE)
        return bool(torch.cuda.is_bf16_supported())
    if device.startswith("xpu"):
        asked = getattr(torch.xpu, "is_bf16_supported", None)  # torch 2.6 or newer
        return asked is not None and bool(asked(including_emulation=False))
    if device == "cpu":
        capability = torch.backends.cpu.get_cpu_capability()
        return "AVX512" in capability and _has_bf16_instructions(torch)
    return False


def _has_bf16_instructions(torch: Any) -> bool:
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
        if is_memory_failure(error):
            raise OutOfMemoryError(
                f"There is not enough memory for {what}; choose a smaller region, fewer samples or "
                "another device."
            ) from error
        raise


def is_memory_failure(error: BaseException) -> bool:
    """Whether an allocator said no: numpy's, torch's, ITK's, or that of a GPU's driver."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(words in text for words in _MEMORY_WORDS)
