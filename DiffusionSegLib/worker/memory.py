"""How much memory there is, and how much is used. Bytes; None where a system does not tell."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from DiffusionSegLib.worker.windows_memory import windows_memory, windows_resident

__all__ = ["PeakMeter", "computer_memory", "device_allocated", "process_memory"]

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def computer_memory() -> tuple[int | None, int | None]:
    """(total, free for new programs)."""
    if sys.platform == "win32":
        return windows_memory()
    total = None
    if "SC_PHYS_PAGES" in os.sysconf_names:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return total, _kilobytes(Path("/proc/meminfo"), "MemAvailable")


def process_memory() -> int:
    """The resident memory of this process; where only its peak is told, the peak."""
    resident = _kilobytes(_STATUS, "VmRSS")
    if resident is not None:
        return resident
    if sys.platform == "win32":
        return windows_resident()
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def device_allocated(device: str) -> int | None:
    """What torch holds on a GPU; None for the processor and before torch is loaded."""
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    if device.startswith("cuda") and torch.cuda.is_initialized():
        return int(torch.cuda.memory_allocated(device))
    if device == "mps":
        return int(torch.mps.current_allocated_memory())
    return None


class PeakMeter:
    """The largest memory used on a device since it was made, above what was used then."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._start: int | None = None
        if device.startswith("cuda"):
            cuda = _cuda()
            cuda.reset_peak_memory_stats(device)
            self._start = int(cuda.memory_allocated(device))
        elif device == "cpu":
            self._start = _reset_resident_peak()

    def rise(self) -> int | None:
        """Bytes; None where the system does not tell."""
        if self._start is None:
            return None
        if self._device == "cpu":
            peak = _kilobytes(_STATUS, "VmHWM")
        else:
            peak = int(_cuda().max_memory_allocated(self._device))
        return None if peak is None else max(0, peak - self._start)


def _cuda() -> Any:
    import torch

    return torch.cuda


def _reset_resident_peak() -> int | None:
    try:
        _CLEAR.write_text("5")
    except OSError:  # not Linux, or not allowed in this container
        return None
    return _kilobytes(_STATUS, "VmRSS")


def _kilobytes(path: Path, name: str) -> int | None:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    return None
