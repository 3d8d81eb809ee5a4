"""`diffusionseg train backbone`: pack the images, train both stages, export a model folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from DiffusionSegLib.compute.threads import share_processor
from DiffusionSegLib.errors import InputError
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.options import (
    add_common_options,
    add_data_options,
    chosen_values,
)
from DiffusionSegLib.training.packed_path import data_folder, packed_path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the backbone's training."""
    add_data_options(parser)
    parser.add_argument(
        "--preset", default="cpu", help="cpu (default) or gpu: sizes and numbers of steps"
    )
    parser.add_argument("--steps", type=int, help="steps of the denoising network")
    parser.add_argument(
        "--export-only", action="store_true", help="export the run as far as it is, and stop"
    )
    add_common_options(parser, "0", "batch=32")


def run(args: argparse.Namespace, progress: Progress) -> str:
    """Pack if needed, train to the end, export; returns a summary sentence."""
    share_processor()
    from DiffusionSegLib.training.backbone.settings import choose_settings

    settings = choose_settings(args.preset, chosen_values(args, ("steps", "seed")))
    packed = packed_path(args)
    if not packed.exists() or args.data is not None:
        _pack(args, packed, progress.part(0.0, 0.05))
    if args.pack_only:
        return f"The packed training data are in {packed}."
    if args.output is None:
        raise InputError("Training needs --output, the folder of the run.")

    from DiffusionSegLib.compute.device import resolve_device
    from DiffusionSegLib.training.backbone.pack import read_pack
    from DiffusionSegLib.training.backbone.stages import train_backbone

    pack, device = read_pack(packed), resolve_device(args.device)
    if not args.export_only:
        train_backbone(pack, settings, args.output, device, progress.part(0.05, 0.95))
    from DiffusionSegLib.training.backbone.export import export_model

    folder = args.export or args.output / "model"
    return export_model(args.output, pack, folder, progress.part(0.95, 1.0))


def _pack(args: argparse.Namespace, packed: Path, progress: Progress) -> None:
    from DiffusionSegLib.backbones.compact.config import CompactConfig
    from DiffusionSegLib.backbones.compact.words import open_minilm
    from DiffusionSegLib.training.backbone.packing import pack_sources
    from DiffusionSegLib.training.backbone.sources import load_sources

    data = data_folder(args, packed)
    words = open_minilm(CompactConfig().text_length)
    sources = load_sources(args.sources)
    pack_sources(sources, data, lambda text: words.embed(text).states, packed, progress)
