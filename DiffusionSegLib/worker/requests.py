"""What is known of a request until it is answered: enough to send it, and to send it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.prompt import Box
from DiffusionSegLib.worker.frames import Frame
from DiffusionSegLib.worker.packing import pack_box
from DiffusionSegLib.worker.setup import Setup
from DiffusionSegLib.worker.ticket import Ticket

__all__ = ["JOBS", "Pack", "Request", "job_header"]

JOBS = frozenset({"hello", "prepare", "estimate", "propose", "refine"})

Pack = Callable[[list[NDArray[Any]]], Mapping[str, Any]]


@dataclass(eq=False)
class Request:
    """header: small and known at once; pack: makes the rest, with arrays, when it is sent.

    image: what the header's key stands for; started: the worker has begun with it; told: kinds of
    messages about it that were sent after it.
    """

    ticket: Ticket[Any]
    header: Mapping[str, Any]
    pack: Pack | None = None
    image: Image | None = None
    started: bool = False
    told: list[str] = field(default_factory=list)

    @property
    def is_job(self) -> bool:
        """Whether the worker computes for it, so that it may have to wait."""
        return self.ticket.kind in JOBS

    def frame(self) -> Frame:
        """Made on the thread that sends it."""
        arrays: list[NDArray[Any]] = []
        rest = {} if self.pack is None else self.pack(arrays)
        return Frame({**self.header, "id": self.ticket.id, **rest}, tuple(arrays))


def job_header(kind: str, setup: Setup, key: str, region: Box | None) -> dict[str, Any]:
    """What all jobs on an image have; see `supersedes`."""
    return {
        "kind": kind,
        "setup": setup.to_dict(),
        "key": key,
        "region": None if region is None else pack_box(region),
    }
