"""The one way to a worker, for the panel, the effect, tests and scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Box, Prompt
from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegLib.worker.answers import Catalogue, Estimate, Hello, MemoryReport, Preview
from DiffusionSegLib.worker.command import foreign_environment
from DiffusionSegLib.worker.dispatch import Dispatch
from DiffusionSegLib.worker.link import Link
from DiffusionSegLib.worker.packing import pack_mask, pack_prompt
from DiffusionSegLib.worker.process_link import ProcessLink
from DiffusionSegLib.worker.requests import job_header
from DiffusionSegLib.worker.setup import Setup
from DiffusionSegLib.worker.ticket import Ticket

__all__ = ["WorkerClient"]


class WorkerClient(Dispatch):
    """A worker process, started by the first request and again by the first one after a crash.

    Every method returns at once, whatever the worker does; call all of them, and `poll`, from one
    thread. What is handed in (arrays of images and masks) must not be changed afterwards: it is
    sent, without a copy, while this thread goes on.

    `command` starts the worker (see `default_command`); `environment` is the whole environment it
    gets (None: `foreign_environment(command)`). A worker that says nothing for `start_timeout_s`
    is given up; one whose cancelled job is in the way of a new one for `patience_s` is replaced.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        *,
        start_timeout_s: float = 90.0,
        patience_s: float = 30.0,
    ) -> None:
        super().__init__(start_timeout_s, patience_s)
        self.command = tuple(command)
        self._environment = environment

    def hello(self) -> Ticket[Hello]:
        """Versions and devices; the worker imports torch for it, which takes seconds once."""
        return self._submit({"kind": "hello"})

    def describe(self) -> Ticket[Catalogue]:
        """Methods and models; quick, without torch, also while a job runs."""
        return self._submit({"kind": "describe"})

    def memory(self) -> Ticket[MemoryReport]:
        """What the worker holds; also while a job runs."""
        return self._submit({"kind": "memory"})

    def has_image(self, key: str) -> bool:
        """Whether the client remembers the image: then it need not be made and set again."""
        return self._images.find(key) is not None

    def set_image(self, key: str, image: Image) -> Ticket[None]:
        """Hand in an image under a key; the last 2 are remembered and sent again after a restart.

        The same image under the same key is not sent twice; another one under it takes its place.
        """
        for forgotten in self._images.remember(key, image):
            self._forget(forgotten)
        return self._upload(key, image)

    def prepare(self, setup: Setup, key: str, region: Box | None = None) -> Ticket[None]:
        """Load the model and do the prompt-free part, so that the next propose is quick."""
        return self._submit(job_header("prepare", setup, key, region))

    def estimate(
        self, setup: Setup, key: str, region: Box | None = None, prompt: Prompt | None = None
    ) -> Ticket[Estimate]:
        """Time and memory of a propose to come; loads and prepares what is not yet there."""
        if prompt is None:
            prompt = Prompt(region=region)
        return self._submit(
            job_header("estimate", setup, key, region or prompt.region),
            lambda arrays: {"prompt": pack_prompt(prompt, arrays)},
        )

    def propose(self, setup: Setup, key: str, prompt: Prompt) -> Ticket[Proposal]:
        """An outline; `prompt.region` limits it. Takes the place of an older propose or refine."""
        return self._submit(
            job_header("propose", setup, key, prompt.region),
            lambda arrays: {"prompt": pack_prompt(prompt, arrays)},
        )

    def refine(
        self, setup: Setup, key: str, edited: Mask, prompt: Prompt, original: Mask | None = None
    ) -> Ticket[Proposal]:
        """A better outline from an edited one. Takes the place of an older propose or refine."""
        return self._submit(
            job_header("refine", setup, key, prompt.region),
            lambda arrays: {
                "prompt": pack_prompt(prompt, arrays),
                "edited": pack_mask(edited, arrays),
                "original": None if original is None else pack_mask(original, arrays),
            },
        )

    def preview(self, ticket: Ticket[Any]) -> Ticket[Preview | None]:
        """The estimate of a running propose or refine at its next step; None when it is over first.

        While an answer is waited for, the same ticket is returned again.
        """
        known = self._preview_of(ticket)
        if known is not None:
            return known
        if ticket.kind not in ("propose", "refine") or ticket.is_finished:
            return self._settled("preview", None)
        return self._submit({"kind": "preview", "of": ticket.id})

    def stop_here(self, ticket: Ticket[Any]) -> None:
        """Good enough: that job finishes with what it has."""
        self._tell("stop_here", ticket)

    def _connect(self) -> Link:
        if not self.command:
            raise InputError("The worker command is empty; enter one in the settings.")
        environment = self._environment
        if environment is None:
            environment = foreign_environment(self.command)
        return ProcessLink(self.command, environment, self._news)
