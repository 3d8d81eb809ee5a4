"""The one way to a worker, for the panel, the effect, tests and scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Box, Prompt
from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegLib.worker.answers import Catalogue, Estimate, Hello, MemoryReport, Preview
from DiffusionSegLib.worker.setup import Setup
from DiffusionSegLib.worker.ticket import Ticket

__all__ = ["WorkerClient"]


class WorkerClient:
    """A worker process, started by the first request and again by the first one after a crash.

    Every method returns at once, whatever the worker does; call all of them, and `poll`, from one
    thread. `command` starts the worker (see `default_command`); `environment` is the whole
    environment it gets (None: that of this process).
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        self.restarts = 0

    def hello(self) -> Ticket[Hello]:
        """Versions and devices; the worker imports torch for it, which takes seconds once."""

    def describe(self) -> Ticket[Catalogue]:
        """Methods and models; quick, without torch."""

    def has_image(self, key: str) -> bool:
        """Whether the client remembers the image: then it need not be made and set again."""

    def set_image(self, key: str, image: Image) -> Ticket[None]:
        """Hand in an image under a key; the last 2 are remembered and sent again after a restart.

        The same key stands for the same voxels at the same place. The array must not be changed
        afterwards: it is sent, without a copy, while this thread goes on.
        """

    def prepare(self, setup: Setup, key: str, region: Box | None = None) -> Ticket[None]:
        """Load the model and do the prompt-free part, so that the next propose is quick."""

    def estimate(
        self, setup: Setup, key: str, region: Box | None = None, prompt: Prompt | None = None
    ) -> Ticket[Estimate]:
        """Time and memory of a propose to come; loads and prepares what is not yet there."""

    def propose(self, setup: Setup, key: str, prompt: Prompt) -> Ticket[Proposal]:
        """An outline; `prompt.region` limits it. Takes the place of an older propose or refine."""

    def refine(
        self, setup: Setup, key: str, edited: Mask, prompt: Prompt, original: Mask | None = None
    ) -> Ticket[Proposal]:
        """A better outline from an edited one. Takes the place of an older propose or refine."""

    def preview(self, ticket: Ticket[Any]) -> Ticket[Preview | None]:
        """The estimate so far of that running propose or refine; None when there is none yet."""

    def stop_here(self, ticket: Ticket[Any]) -> None:
        """Good enough: that job finishes with what it has."""

    def cancel(self, ticket: Ticket[Any]) -> None:
        """The ticket is "cancelled" at once; whatever still comes of it is dropped."""

    def memory(self) -> Ticket[MemoryReport]:
        """What the worker holds."""

    def poll(self) -> None:
        """Take in what has come and call back; never blocks, never raises. Every 30 ms will do."""

    @property
    def is_running(self) -> bool:
        """Whether there is a living worker."""

    @property
    def last_log(self) -> str:
        """The end of what the worker wrote on stderr."""

    def close(self) -> None:
        """End the worker and all its processes; tickets that still wait become cancelled."""
