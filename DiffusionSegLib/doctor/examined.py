"""What the checks of one report share: the worker's command, and what earlier checks learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from DiffusionSegLib.environments.probing import Probe
    from DiffusionSegLib.worker.answers import Hello
    from DiffusionSegLib.worker.client import WorkerClient

__all__ = ["Examined"]

_MODULE = "DiffusionSegLib.cli.main"


@dataclass
class Examined:
    """command: starts the worker; run: whether it is started and outlines samples; variables: of
    this process. The rest is filled in by the checks, in their order."""

    command: tuple[str, ...]
    run: bool
    variables: Mapping[str, str]
    probe: Probe | None = None
    client: WorkerClient | None = None
    hello: Hello | None = None

    @property
    def python(self) -> tuple[str, ...] | None:
        """The words that start the worker's Python; None for a command of another kind, as ssh."""
        words = self.command
        if len(words) > 2 and words[-3:-1] == ("-m", _MODULE):
            return words[:-3]
        return None

    def close(self) -> None:
        """End the worker."""
        if self.client is not None:
            self.client.close()
