"""Trains tiny networks in a process of its own, to be killed."""

from __future__ import annotations

import sys
from pathlib import Path

from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.backbone import trainer
from DiffusionSegLib.training.diffugts.prepared import prepare
from DiffusionSegLib.training.diffugts.stages import networks_config, train_diffugts
from Testing.Library.backbones.compact.tiny import WIDTH
from Testing.Library.training.diffugts.tiny import tiny_backbone, tiny_pack, tiny_settings
from Testing.Library.training.forking import serve


def main(folder: Path, steps: int, progress: Progress) -> None:
    sys.modules["torch.utils.tensorboard"] = None  # type: ignore[assignment]  # slow to import
    trainer._CHECKPOINT_S = 0.0  # a checkpoint after every step: a kill may hit the writing
    names = ("maps_steps", "choice_steps", "marked_steps", "residual_steps")
    settings = tiny_settings(cuts=0.25, **dict.fromkeys(names, steps))
    backbone = tiny_backbone(folder.parent / "backbone")
    pack = tiny_pack()
    prepared = prepare(pack, settings, backbone, folder / "prepared", progress)
    config = networks_config(backbone, WIDTH)
    train_diffugts(pack, prepared, config, settings, folder, "cpu", progress)


if __name__ == "__main__":
    serve(main)
