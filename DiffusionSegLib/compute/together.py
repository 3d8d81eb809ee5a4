"""Work of a few parts on as many threads as torch may use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["together"]

Item = TypeVar("Item")
Result = TypeVar("Result")


def together(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """The result of every item, in their order; the first error in that order is raised.

    Worth its while where the work is done by ITK, SciPy or torch, which let other threads run.
    """
    import torch

    threads = min(len(items), torch.get_num_threads())
    if threads <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, items))
