"""Packed cases through a bundled model, exactly as a session would run it."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.errors import InputError
from DiffusionSegLib.methods.cdal.embedding import CdalEmbedding
from DiffusionSegLib.methods.cdal.intensity import IntensityMap
from DiffusionSegLib.methods.cdal.model_input import ChannelSource
from DiffusionSegLib.methods.cdal.recipe import Recipe
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.cdal.pack import Pack, PackedCase, read_pack
from DiffusionSegLib.training.cdal.packing import pack_task
from DiffusionSegLib.training.cdal.settings import load_task
from Testing.Benchmarks.common import tell
from Testing.Benchmarks.datasets import FOLDERS

PACKED = "data.safetensors"


def add_pack_options(parser: argparse.ArgumentParser) -> None:
    """Where the packed cases come from."""
    parser.add_argument(
        "--runs", type=Path, metavar="DIR",
        help=f"folder of training runs: DIR/MODEL/{PACKED} and DIR/MODEL/unet.pt",
    )  # fmt: skip
    parser.add_argument(
        "--packed", type=named_path, action="append", default=[], metavar="MODEL=FILE",
        help="packed data of one model (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--data", type=Path, metavar="ROOT",
        help="folder of the whole data sets by name; packs anew what was not given packed",
    )  # fmt: skip


def named_path(text: str) -> tuple[str, Path]:
    """MODEL=FILE."""
    name, separator, path = text.partition("=")
    if not separator or name not in FOLDERS:
        raise argparse.ArgumentTypeError(f"give MODEL=FILE with a model of {', '.join(FOLDERS)}")
    return name, Path(path)


def pack_of(entry: ModelEntry, args: argparse.Namespace) -> Pack:
    """Train and test part of the model's data; raises InputError when they cannot be had."""
    given: Mapping[str, Path] = dict(args.packed)
    path = given.get(entry.name)
    if path is None and args.runs is not None and (args.runs / entry.name / PACKED).exists():
        path = args.runs / entry.name / PACKED
    if path is not None:
        pack = read_pack(path, ("train", "test"))
    elif args.data is not None:
        pack = _packed_anew(entry, args.data / FOLDERS[entry.name])
    else:
        raise InputError(f"Give the data of {entry.name} with --runs, --packed or --data.")
    _check_grid(entry)
    _check_split(entry, pack)
    return pack


def _packed_anew(entry: ModelEntry, folder: Path) -> Pack:
    task = load_task(entry.name)
    for part in (folder / "images", folder / "labels"):
        if not part.is_dir():
            raise InputError(f"The folder {part} does not exist; --data is the folder above it.")
    tell(f"{entry.name}: packing {folder}")
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / PACKED
        pack_task(task, folder / "images", folder / "labels", (), path, Progress.silent())
        return read_pack(path, ("train", "test"))


def _check_grid(entry: ModelEntry) -> None:
    """Packed data are on the grid of the shipped task, which may have moved on since a training."""
    task = load_task(entry.name).source
    for name in ("grid", "intensity"):
        if task[name] != entry.settings[name]:
            raise InputError(
                f"The model {entry.id} was trained with another {name} than the shipped task "
                "packs data for; train it again."
            )


def _check_split(entry: ModelEntry, pack: Pack) -> None:
    """A test case that the model was trained on, or the ellipsoid fitted to, would flatter it."""
    seen = {*entry.splits.get("train", ()), *entry.splits.get("validation", ())}
    for part, forbidden in (("test", seen), ("train", set(entry.splits.get("test", ())))):
        wrong = sorted(forbidden & {case.name for case in pack.part(part)})
        if wrong:
            raise InputError(
                f"The {part} part of this data holds {len(wrong)} cases that are on the other side "
                f"for {entry.id}, such as {wrong[0]}; give the whole data set, packed as for its "
                "training."
            )


def embedding_of(
    recipe: Recipe, case: PackedCase, places: Sequence[int] | None = None
) -> CdalEmbedding:
    """A packed case ready for a predictor, with only the channels at ``places`` (None: all)."""
    image = case.image.float().numpy()
    chosen = tuple(range(len(image))) if places is None else tuple(places)
    shape = (image.shape[1], image.shape[2], image.shape[3])
    geometry = Geometry(shape, recipe.grid.spacing_mm or (1.0, 1.0, 1.0))
    # Packed images are in [-1, 1] already, which these limits leave as it is.
    unchanged = IntensityMap(((-1.0, 1.0),) * len(chosen))
    source = ChannelSource(np.ascontiguousarray(image[list(chosen)]), unchanged, chosen, len(image))
    return CdalEmbedding(geometry, 3 if shape[0] > 1 else 2, geometry, source)
