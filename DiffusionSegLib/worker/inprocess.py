"""The same client with a thread of this process for a worker; for tests and scripts."""

from __future__ import annotations

from DiffusionSegLib.worker.client import WorkerClient

__all__ = ["InProcessClient"]


class InProcessClient(WorkerClient):
    """Methods as in WorkerClient. A cancelled job ends at its next check."""

    def __init__(self) -> None:
        super().__init__(())
