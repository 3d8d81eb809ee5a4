"""How fast and how large runs are here: measured, never assumed."""

from __future__ import annotations

from dataclasses import dataclass

from DiffusionSegLib.methods.contract import Workload
from DiffusionSegLib.worker.answers import Estimate

__all__ = ["Rate", "Rates", "worded"]


@dataclass(frozen=True)
class Rate:
    """seconds: per unit of a workload; network_bytes: memory besides the workload's own."""

    seconds: float
    network_bytes: int | None = None


class Rates:
    """The last rate of each model on each device."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Rate] = {}

    def find(self, model: str, device: str) -> Rate | None:
        """Of the last whole run; None before the first."""
        return self._known.get((model, device))

    def learn(
        self, model: str, device: str, load: Workload, seconds: float, rise_bytes: int | None
    ) -> None:
        """From a run that was neither stopped nor cancelled."""
        rest = None if rise_bytes is None else max(0, rise_bytes - load.memory_bytes)
        known = self._known.get((model, device))
        if known is not None and known.network_bytes is not None:
            # Memory that the process kept from an earlier run does not show as a rise again.
            rest = max(rest or 0, known.network_bytes)
        self._known[model, device] = Rate(seconds / max(load.units, 1.0), rest)


def worded(
    load: Workload, rate: Rate, device: str, used_bytes: int, free_bytes: int | None
) -> Estimate:
    """used_bytes: what the worker already holds there; free_bytes: what is left."""
    seconds = load.units * rate.seconds
    needed = None if rate.network_bytes is None else rate.network_bytes + load.memory_bytes
    whole = None if needed is None else used_bytes + needed
    size = "" if whole is None else f" and {_size(whole)}"
    words = f"About {_duration(seconds)}{size} on {device} ({load.words})"
    if needed is not None and free_bytes is not None and needed > free_bytes:
        words += f"; only {_size(free_bytes)} are free"
    return Estimate(seconds, whole, words)


def _duration(seconds: float) -> str:
    if seconds < 1:
        return f"{max(seconds, 0.1):.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _size(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{max(size / 1e6, 1):.0f} MB"
