"""`diffusionseg train cdal`: pack the data, train, export a model folder with its card."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from DiffusionSegLib.compute.threads import share_processor
from DiffusionSegLib.errors import InputError
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.options import add_common_options, chosen_values


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of cDAL training."""
    parser.add_argument(
        "--task", required=True, help="a shipped task's name, or a JSON file of your own"
    )
    parser.add_argument(
        "--output",
        "-o",
        required=True,
        type=Path,
        help="folder of the run; used again, it continues",
    )
    parser.add_argument("--images", type=Path, help="folder of training images")
    parser.add_argument("--labels", type=Path, help="folder of label maps with the images' stems")
    parser.add_argument(
        "--negatives",
        action="append",
        default=[],
        metavar="PATTERN",
        help="folder or pattern of images that lack the object (repeatable)",
    )
    parser.add_argument(
        "--packed", type=Path, help="data packed before (needs neither images nor labels)"
    )
    parser.add_argument("--pack-only", action="store_true", help="write the packed data and stop")
    parser.add_argument(
        "--continue-from",
        type=Path,
        metavar="CHECKPOINT",
        help="begin with the weights of another run of this task, with the rates starting anew",
    )
    parser.add_argument("--mode", choices=("released", "adversarial"), help="loss of the generator")
    parser.add_argument("--steps", type=int, help="training steps instead of the task's own number")
    add_common_options(parser, "the task's own", "batch=16")


def run(args: argparse.Namespace, progress: Progress) -> str:
    """Pack if needed, train to the end, export; returns a summary sentence."""
    share_processor()
    from DiffusionSegLib.training.cdal.settings import load_task

    task = load_task(args.task, chosen_values(args, ("mode", "steps", "seed")))
    packed = args.packed or args.output / "data.safetensors"
    if not packed.exists():
        _pack(task, args, packed, progress.part(0.0, 0.05))
    if args.pack_only:
        return f"The packed training data are in {packed}."

    from DiffusionSegLib.compute.device import resolve_device
    from DiffusionSegLib.training.cdal.export import export_model
    from DiffusionSegLib.training.cdal.pack import read_pack
    from DiffusionSegLib.training.cdal.trainer import Trainer

    pack = read_pack(packed)
    trainer = Trainer(task, pack, args.output, resolve_device(args.device), args.continue_from)
    best = trainer.run(progress.part(0.05, 0.95))
    folder = args.export or args.output / "model"
    export_model(trainer, folder, progress.part(0.95, 1.0))
    return f"Best validation Dice {best:.4f} after {trainer.step} steps; the model is in {folder}."


def _pack(task: Any, args: argparse.Namespace, packed: Path, progress: Progress) -> None:
    from DiffusionSegLib.training.cdal.packing import pack_task

    if args.images is None or args.labels is None:
        raise InputError("Training needs --images and --labels, or --packed.")
    for folder in (args.images, args.labels):
        if not folder.is_dir():
            raise InputError(f"The folder {folder} does not exist.")
    pack_task(task, args.images, args.labels, args.negatives, packed, progress)
