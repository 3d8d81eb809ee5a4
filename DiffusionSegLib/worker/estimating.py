"""What a run will take, from the time of one step here: for models whose card does not tell."""

from __future__ import annotations

from DiffusionSegLib.methods.contract import Workload
from DiffusionSegLib.planning.rates import Rate
from DiffusionSegLib.planning.wording import device_words, duration_words, size_words
from DiffusionSegLib.worker.answers import Estimate

__all__ = ["worded"]


def worded(
    load: Workload, rate: Rate, device: str, used_bytes: int, free_bytes: int | None
) -> Estimate:
    """used_bytes: what the worker already holds there; free_bytes: what is left."""
    seconds = load.units * rate.seconds
    needed = None if rate.network_bytes is None else rate.network_bytes + load.memory_bytes
    whole = None if needed is None else used_bytes + needed
    size = "" if whole is None else f" and {size_words(whole)}"
    words = f"About {duration_words(seconds)}{size} on {device_words(device)} ({load.words})"
    if needed is not None and free_bytes is not None and needed > free_bytes:
        words += f"; only {size_words(free_bytes)} are free"
    return Estimate(seconds, whole, words)
