"""The training loop of a stage: resumable at any step."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import torch

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.checkpoint import load_checkpoint, save_checkpoint
from DiffusionSegLib.training.log import TrainingLog

__all__ = ["StageTrainer", "TrainableStage"]

_CHECKPOINT_S = 120.0
_LOG_EVERY = 10


class TrainableStage(Protocol):
    """What is trained: ``total`` steps, with settings of which some, ``counted``, must not change
    between one start and the next. settings: a dataclass with ``validate_every``."""

    name: str
    total: int
    settings: Any
    device: torch.device

    @property
    def columns(self) -> tuple[str, ...]:
        """Of the log."""

    @property
    def counted(self) -> tuple[str, ...]:
        """Names of settings."""

    def step(self, number: int) -> dict[str, float]:
        """One step; number: of those done before. What it gives is logged."""

    def validate(self) -> dict[str, float]:
        """Measures on the validation part."""

    def state(self) -> dict[str, Any]:
        """All that is needed to go on."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """The inverse of ``state``."""


class StageTrainer:
    """Trains a stage in FOLDER/NAME; used again with the same folder, it goes on.

    What decides nothing about the steps done so far, such as their number, may be changed between.
    """

    def __init__(self, stage: TrainableStage, folder: Path) -> None:
        self.stage = stage
        self.folder = folder / stage.name
        self.done = 0
        self.seconds = 0.0
        self.measured: dict[str, float] = {}

    @property
    def checkpoint(self) -> Path:
        """Where the state of the stage is kept."""
        return self.folder / "checkpoint.pt"

    def run(self, progress: Progress) -> None:
        """Train to the end. Cancellation keeps the state."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.resume()
        saved = time.monotonic()
        with TrainingLog(self.folder, self.stage.columns, self.done) as log:
            try:
                while self.done < self.stage.total:
                    self._advance(log)
                    if time.monotonic() - saved > _CHECKPOINT_S:
                        self.save()
                        saved = time.monotonic()
                    progress.report(self.done / self.stage.total, f"Training {self.stage.name}")
            finally:
                self.save()

    def _advance(self, log: TrainingLog) -> None:
        begun = time.monotonic()
        values = self.stage.step(self.done)
        self.done += 1
        self.seconds += time.monotonic() - begun
        if self.done % self.stage.settings.validate_every == 0 or self.done == self.stage.total:
            self.measured = self.stage.validate()
            values |= self.measured
        elif self.done % _LOG_EVERY:
            return
        log.row(self.done, {**values, "seconds": self.seconds})

    def save(self) -> None:
        """Write the checkpoint."""
        state = self.stage.state()
        state |= {"done": self.done, "seconds": self.seconds, "measured": self.measured}
        state |= {"settings": asdict(self.stage.settings), "device": str(self.stage.device)}
        state["threads"] = torch.get_num_threads()
        save_checkpoint(state, self.checkpoint)

    def resume(self) -> None:
        """Take up the checkpoint, if there is one; raises InputError for other settings."""
        state = load_checkpoint(self.checkpoint)
        if state is None:
            return
        changed = _differences(state["settings"], self.stage)
        if changed:
            raise InputError(
                f"The run in {self.folder} was started with another {changed[0]}; choose another "
                "folder or delete it."
            )
        self.stage.restore(state)
        self.done, self.seconds = int(state["done"]), float(state["seconds"])
        self.measured = dict(state["measured"])


def _differences(before: Mapping[str, Any], stage: TrainableStage) -> list[str]:
    now = asdict(stage.settings)
    return [name for name in stage.counted if before.get(name) != now[name]]
