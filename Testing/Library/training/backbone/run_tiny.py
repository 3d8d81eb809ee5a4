"""Trains tiny networks in a process of its own, to be killed."""

from __future__ import annotations

import sys
from pathlib import Path

from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.backbone import trainer
from DiffusionSegLib.training.backbone.stages import train_backbone
from Testing.Library.backbones.compact.tiny import tiny_config
from Testing.Library.training.backbone.tiny import tiny_pack, tiny_settings
from Testing.Library.training.forking import serve


def main(folder: Path, steps: int, progress: Progress) -> None:
    sys.modules["torch.utils.tensorboard"] = None  # type: ignore[assignment]  # slow to import
    trainer._CHECKPOINT_S = 0.0  # a checkpoint after every step: a kill may hit the writing
    settings = tiny_settings(steps=steps, autoencoder_steps=steps)
    train_backbone(tiny_pack(), settings, folder, "cpu", progress, tiny_config())


if __name__ == "__main__":
    serve(main)
