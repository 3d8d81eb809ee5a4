"""Trains tiny networks in a process of its own, to be killed: run_tiny.py FOLDER STEPS."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.backbone import trainer
from DiffusionSegLib.training.diffugts.prepared import prepare
from DiffusionSegLib.training.diffugts.stages import networks_config, train_diffugts
from Testing.Library.backbones.compact.tiny import WIDTH
from Testing.Library.training.diffugts.tiny import tiny_backbone, tiny_pack, tiny_settings


def main(folder: Path, steps: int) -> None:
    torch.set_num_threads(1)
    sys.modules["torch.utils.tensorboard"] = None  # type: ignore[assignment]  # slow to import
    trainer._CHECKPOINT_S = 0.0  # a checkpoint after every step: a kill may hit the writing
    names = ("maps_steps", "choice_steps", "marked_steps", "residual_steps")
    settings = tiny_settings(**dict.fromkeys(names, steps))
    backbone = tiny_backbone(folder.parent / "backbone")
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    pack = tiny_pack()
    prepared = prepare(pack, settings, backbone, folder / "prepared", Progress.silent())
    config = networks_config(backbone, WIDTH)
    train_diffugts(pack, prepared, config, settings, folder, "cpu", Progress.silent())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
