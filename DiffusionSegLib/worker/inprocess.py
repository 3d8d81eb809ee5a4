"""The same client with a thread of this process for a worker; for tests and scripts."""

from __future__ import annotations

from DiffusionSegLib.worker.client import WorkerClient
from DiffusionSegLib.worker.link import Link
from DiffusionSegLib.worker.thread_link import ThreadLink

__all__ = ["InProcessClient"]


class InProcessClient(WorkerClient):
    """Methods as in WorkerClient. Results and images are shared with the caller, not copied."""

    def __init__(self) -> None:
        # A thread cannot be ended, so there is nothing to lose patience for.
        super().__init__(("a thread of this process",), {}, patience_s=float("inf"))

    def _connect(self) -> Link:
        return ThreadLink(self._news)
