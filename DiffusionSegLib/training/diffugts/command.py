"""`diffusionseg train diffugts`: pack images, prepare pictures, train, export a model folder."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from DiffusionSegLib.compute.threads import share_processor
from DiffusionSegLib.errors import InputError
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.packed_path import data_folder, packed_path
from DiffusionSegLib.training.presets import read_overrides

BACKBONE = {"kind": "compact", "name": "compact"}
SENTENCES = {"kind": "minilm"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this training."""
    parser.add_argument(
        "--output", "-o", type=Path, help="folder of the run; used again, it continues"
    )
    parser.add_argument("--data", type=Path, help="folder of the data sets, to pack them")
    parser.add_argument(
        "--sources", type=Path, help="JSON list of what to take from there (default: the shipped)"
    )
    parser.add_argument(
        "--packed", type=Path, help="packed data to write or to read (default OUTPUT/data)"
    )
    parser.add_argument("--pack-only", action="store_true", help="write the packed data and stop")
    parser.add_argument(
        "--prepared",
        type=Path,
        help="folder of prepared pictures, which runs on the same data may share (default "
        "OUTPUT/prepared)",
    )
    parser.add_argument(
        "--leave-out", default="", metavar="TYPE", help="a type of tumor of which none is shown"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, xpu or mps")
    parser.add_argument(
        "--preset", default="cpu", help="cpu (default) or gpu: numbers of pictures and steps"
    )
    parser.add_argument("--seed", type=int, help="seed instead of 0")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="any other training setting, for instance --set maps_steps=1000 (repeatable)",
    )
    parser.add_argument(
        "--export", type=Path, help="folder for the finished model (default OUTPUT/model)"
    )


def run(args: argparse.Namespace, progress: Progress) -> str:
    """Pack if needed, prepare, train to the end, export; returns a summary sentence."""
    share_processor()
    from DiffusionSegLib.training.diffugts.settings import choose_settings

    settings = choose_settings(args.preset, _overrides(args))
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


def _overrides(args: argparse.Namespace) -> dict[str, Any]:
    values = read_overrides(args.set)
    if args.seed is not None:
        values["seed"] = args.seed
    if args.leave_out:
        values["leave_out"] = args.leave_out
    return values
