"""Trains the tiny task in a process of its own, to be killed: run_tiny.py FOLDER STEPS."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.cdal import trainer
from Testing.Library.training.cdal.tiny_task import disc_pack, tiny_task


def main(folder: Path, steps: int) -> None:
    torch.set_num_threads(1)
    sys.modules["torch.utils.tensorboard"] = None  # type: ignore[assignment]  # slow to import
    trainer._CHECKPOINT_S = 0.0  # a checkpoint after every step: a kill may hit the writing
    run = trainer.Trainer(tiny_task(steps=steps, mode="adversarial"), disc_pack(), folder)
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    run.run(Progress.silent())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
