"""Trains tiny networks in a process of its own, to be killed: run_tiny.py FOLDER STEPS."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.backbone import trainer
from DiffusionSegLib.training.backbone.stages import train_backbone
from Testing.Library.backbones.compact.tiny import tiny_config
from Testing.Library.training.backbone.tiny import tiny_pack, tiny_settings


def main(folder: Path, steps: int) -> None:
    torch.set_num_threads(1)
    sys.modules["torch.utils.tensorboard"] = None  # type: ignore[assignment]  # slow to import
    trainer._CHECKPOINT_S = 0.0  # a checkpoint after every step: a kill may hit the writing
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    settings = tiny_settings(steps=steps, autoencoder_steps=steps)
    train_backbone(tiny_pack(), settings, folder, "cpu", Progress.silent(), tiny_config())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
