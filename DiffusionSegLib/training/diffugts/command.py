"""`diffusionseg train diffugts`: pack images, prepare pictures, train, export a model folder."""

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

BACKBONE = {"kind": "compact", "name": "compact"}
SENTENCES = {"kind": "minilm"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this training."""
    add_data_options(parser)
    parser.add_argument(
        "--prepared",
        type=Path,
        help="folder of prepared pictures, which runs on the same data may share (default "
        "OUTPUT/prepared)",
    )
    parser.add_argument(
        "--leave-out", default="", metavar="TYPE", help="a type of tumor of which none is shown"
    )
    parser.add_argument(
        "--preset", default="cpu", help="cpu (default) or gpu: numbers of pictures and steps"
    )
    add_common_options(parser, "0", "maps_steps=1000")


def run(args: argparse.Namespace, progress: Progress) -> str:
    """Pack if needed, prepare, train to the end, export; returns a summary sentence."""
    share_processor()
    from DiffusionSegLib.training.diffugts.settings import choose_settings

    settings = choose_settings(args.preset, chosen_values(args, ("seed", "leave_out")))
    packed = packed_path(args)
    if not packed.exists() or args.data is not None:
        _pack(args, packed, progress.part(0.0, 0.05))
    if args.pack_only:
        return f"The packed training data are in {packed}."
    if args.output is None:
        raise InputError("Training needs --output, the folder of the run.")

    from DiffusionSegLib.backbones.generative.opening import open_generative
    from DiffusionSegLib.compute.device import resolve_device
    from DiffusionSegLib.training.diffugts.export import export_model
    from DiffusionSegLib.training.diffugts.pack import read_pack
    from DiffusionSegLib.training.diffugts.prepared import prepare
    from DiffusionSegLib.training.diffugts.stages import networks_config, train_diffugts

    pack, device = read_pack(packed), resolve_device(args.device)
    backbone = open_generative(BACKBONE, device)
    folder = args.prepared or args.output / "prepared"
    prepared = prepare(pack, settings, backbone, folder, progress.part(0.05, 0.5))
    config = networks_config(backbone, pack.text.shape[1])
    told = progress.part(0.5, 1.0)
    trained = train_diffugts(pack, prepared, config, settings, args.output, device, told)
    model = args.export or args.output / "model"
    return export_model(trained, settings, pack, device, model)


def _pack(args: argparse.Namespace, packed: Path, progress: Progress) -> None:
    from DiffusionSegLib.backbones.sentences.opening import open_sentences
    from DiffusionSegLib.training.diffugts.packing import pack_lesions
    from DiffusionSegLib.training.diffugts.sources import load_lesion_sources

    data = data_folder(args, packed)
    sources = load_lesion_sources(args.sources)
    pack_lesions(sources, data, open_sentences(SENTENCES).embed, packed, progress)
