"""How much memory there is, and how much is used. Bytes; None where a system does not tell."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from DiffusionSegLib.compute.device import has_own_memory
from DiffusionSegLib.compute.lazy_torch import torch_or
from DiffusionSegLib.worker.mac_memory import mac_free
from DiffusionSegLib.worker.windows_memory import windows_memory, windows_resident

__all__ = ["PeakMeter", "computer_memory", "process_memory"]

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def computer_memory() -> tuple[int | None, int | None]:
    """(total, free for new programs)."""
    if sys.platform == "win32":
        return windows_memory()
    total = None
    if "SC_PHYS_PAGES" in os.sysconf_names:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if sys.platform == "darwin":
        return total, mac_free()
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


class PeakMeter:
    """The largest memory used on a device since it was made, above what was used then.

    torch: for tests, which describe a GPU that is not here.
    """

    def __init__(self, device: str, torch: Any = None) -> None:
        self._device = device
        self._start: int | None = None
        self._module: Any = None
        if has_own_memory(device):
            self._module = getattr(torch_or(torch), device.partition(":")[0])
            if hasattr(self._module, "reset_peak_memory_stats"):  # torch 2.4 has none for Intel
                self._module.reset_peak_memory_stats(device)
                self._start = int(self._module.memory_allocated(device))
        elif device == "cpu":
            self._start = _reset_resident_peak()

    def rise(self) -> int | None:
        """Bytes; None where the system does not tell."""
        if self._start is None:
            return None
        if self._device == "cpu":
            peak = _kilobytes(_STATUS, "VmHWM")
        else:
            peak = int(self._module.max_memory_allocated(self._device))
        return None if peak is None else max(0, peak - self._start)


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
