"""How much memory a run may take on a device: what is free, and what no one may go beyond."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from DiffusionSegLib.compute.device import has_own_memory
from DiffusionSegLib.compute.device_memory import gpu_memory

__all__ = ["free_bytes", "usable_bytes"]

_RESERVE = 0.1  # of what is free: other programs grow, and allocators round up
_GROUP = Path("/sys/fs/cgroup")


def free_bytes(device: str, computer_free: Callable[[], int | None] | None = None) -> int | None:
    """Free on the device; None where the system does not tell. computer_free: of the computer's
    memory, where the system is not Linux. Limits of this process and of its container count."""
    if has_own_memory(device):
        try:
            return gpu_memory(device)[1]
        except RuntimeError:  # the GPU does not answer; the run will say so
            return None
    found = [_available() if computer_free is None else computer_free()]
    found += [_below_the_limit(), _left_in_the_group()]
    known = [number for number in found if number is not None]
    return min(known) if known else None


def usable_bytes(free: int | None) -> int | None:
    """What a plan may use of what is free."""
    return None if free is None else int(free * (1 - _RESERVE))


def _available() -> int | None:
    return _field(Path("/proc/meminfo"), "MemAvailable")


def _below_the_limit() -> int | None:
    """Of the address space that this process may still take (ulimit -v)."""
    if sys.platform == "win32":
        return None
    import resource

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    used = _field(Path("/proc/self/status"), "VmSize")
    if limit == resource.RLIM_INFINITY or used is None:
        return None
    return max(0, limit - used)


def _left_in_the_group() -> int | None:
    """Of what the container may use (control groups, version 2)."""
    limit, used = _number(_GROUP / "memory.max"), _number(_GROUP / "memory.current")
    if limit is None or used is None:
        return None
    # Files in the cache count as used, and are given up when a program wants memory.
    cached = _field(_GROUP / "memory.stat", "inactive_file", "", 1) or 0
    return max(0, limit - used + cached)


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # "max": without a limit
        return None


def _field(path: Path, name: str, mark: str = ":", unit: int = 1024) -> int | None:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.split()[:1] == [name + mark]:
            return int(line.split()[1]) * unit
    return None
