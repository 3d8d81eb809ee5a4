"""Which devices there are, and why one cannot be used. Imports torch when called."""

from __future__ import annotations

import platform
from typing import Any

from DiffusionSegLib.compute.threads import share_processor
from DiffusionSegLib.worker.answers import DeviceReport
from DiffusionSegLib.worker.failures import explained
from DiffusionSegLib.worker.memory import computer_memory

__all__ = ["device_reports", "torch_version"]


def torch_version() -> tuple[str | None, str | None]:
    """(version, None), or (None, why nothing can be computed). Imports torch."""
    share_processor()
    try:
        import torch
    except (ImportError, OSError) as error:
        return None, str(explained(error))
    return str(torch.__version__), None


def device_reports() -> tuple[DeviceReport, ...]:
    """The processor, every NVIDIA GPU (or why there is none) and Apple's GPU. Needs torch."""
    return (_processor(), *_cuda(), _mps())


def _processor() -> DeviceReport:
    import torch

    total, free = computer_memory()
    title = f"Processor, {torch.get_num_threads()} threads"
    return DeviceReport("cpu", title, True, "", total, free)


def _cuda() -> list[DeviceReport]:
    import torch

    if torch.version.cuda is None and getattr(torch.version, "hip", None) is None:
        reason = "This torch was built without CUDA; install a build with it to use an NVIDIA GPU."
        return [DeviceReport("cuda", "NVIDIA GPU", False, reason)]
    if not torch.cuda.is_available():
        reason = "No NVIDIA GPU answers; check that there is one and that its driver is installed."
        return [DeviceReport("cuda", "NVIDIA GPU", False, reason)]
    return [_one_cuda(index) for index in range(torch.cuda.device_count())]


def _one_cuda(index: int) -> DeviceReport:
    import torch

    name = f"cuda:{index}"
    try:
        title = torch.cuda.get_device_name(index)
        problem = _problem(name)
        free, total = torch.cuda.mem_get_info(index)
    except (RuntimeError, AssertionError) as error:
        return DeviceReport(name, f"NVIDIA GPU {index}", False, _first_line(error))
    return DeviceReport(name, title, problem == "", problem, total, free)


def _mps() -> DeviceReport:
    import torch

    if torch.backends.mps.is_available():
        problem = _problem("mps")
        total, free = computer_memory()  # shared with the processor
        return DeviceReport("mps", "Apple GPU", problem == "", problem, total, free)
    if platform.system() != "Darwin":
        reason = "This is not an Apple computer."
    elif not torch.backends.mps.is_built():
        reason = "This torch was built without support for Apple GPUs."
    else:
        reason = "This Mac has no GPU that torch can use, or its macOS is older than 12.3."
    return DeviceReport("mps", "Apple GPU", False, reason)


def _problem(device: str) -> str:
    """Why the smallest computation fails there; empty when it succeeds."""
    import torch

    try:
        value: Any = (torch.ones(1, device=device) + 1).item()
    except RuntimeError as error:  # for instance no kernels for so new or so old a GPU
        return _first_line(error)
    return "" if value == 2 else f"It computes 1 + 1 = {value}."


def _first_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].rstrip(".") + "."
