"""Trains the tiny task in a process of its own, to be killed."""

from __future__ import annotations

import sys
from pathlib import Path

from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.cdal import trainer
from Testing.Library.training.cdal.tiny_task import disc_pack, tiny_task
from Testing.Library.training.forking import serve


def main(folder: Path, steps: int, progress: Progress) -> None:
    sys.modules["torch.utils.tensorboard"] = None  # type: ignore[assignment]  # slow to import
    trainer._CHECKPOINT_S = 0.0  # a checkpoint after every step: a kill may hit the writing
    run = trainer.Trainer(tiny_task(steps=steps, mode="adversarial"), disc_pack(), folder)
    run.run(progress)


if __name__ == "__main__":
    serve(main)
