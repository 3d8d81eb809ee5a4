"""Each bundled model against a plain U-Net and, where it makes sense, an ellipse that looks at
nothing: Dice of the test part on the model's grid.

    python -m Testing.Benchmarks.compare_models --runs RUNS
    python -m Testing.Benchmarks.compare_models sarcoma --packed sarcoma=DATA --unet sarcoma=UNET.pt

RUNS holds what `diffusionseg train` and unet_baseline.py left: MODEL/data.safetensors and
MODEL/unet.pt.
cDAL runs as shipped: weights, ensemble, adaptive stop, precision, verdict (NOT_FOUND is an empty
outline). A model with several optional channels is also shown each alone. Volumes of a single
object are also cut at random (60 to 90 % of each side, at least half of the object inside), so that
the object is off-centre; the ellipsoid's radii are the best of the train part, cut likewise.
Means and standard deviations are over cases; the crops of a case are averaged first.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.methods.cdal.predictor import CdalPredictor
from DiffusionSegLib.methods.contract import RunOptions
from DiffusionSegLib.nouns.prompt import Prompt
from DiffusionSegLib.nouns.verdict import Verdict
from DiffusionSegLib.progress import Progress
from DiffusionSegLib.training.cdal.pack import Pack, PackedCase
from DiffusionSegLib.training.cdal.settings import load_task
from DiffusionSegLib.training.cdal.validation import dice_per_label
from Testing.Benchmarks.common import chosen_models, clock, conditions, execute, new_parser, tell
from Testing.Benchmarks.crops import random_crops
from Testing.Benchmarks.ellipsoid import Radii, best_radii, centred_ellipsoid
from Testing.Benchmarks.packed import add_pack_options, embedding_of, named_path, pack_of
from Testing.Benchmarks.tables import Row, Spread, Table

Classes = NDArray[np.uint8]
Outliner = Callable[[PackedCase], Classes]


@dataclass
class Shipped:
    """The bundled model as a function of a packed case; remembers what else it said."""

    predictor: CdalPredictor
    places: tuple[int, ...]
    run: RunOptions
    not_found: int = 0
    seconds: float = 0.0

    def __call__(self, case: PackedCase) -> Classes:
        """Class indices (K, J, I)."""
        embedding = embedding_of(self.predictor.recipe, case, self.places)
        begun = clock(self.predictor.device)
        proposal = self.predictor.propose(embedding, Prompt(), self.run, Progress.silent())
        array = proposal.mask().array
        self.seconds += clock(self.predictor.device) - begun
        self.not_found += proposal.verdict.state is Verdict.NOT_FOUND
        classes = np.zeros_like(array)
        for index, label in enumerate(proposal.labels, start=1):
            classes[array == label.value] = index
        return classes


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = new_parser(__doc__, data=False)
    add_pack_options(parser)
    parser.add_argument(
        "--unet", type=named_path, action="append", default=[], metavar="MODEL=FILE",
        help="unet.pt of unet_baseline.py (repeatable)",
    )  # fmt: skip
    parser.add_argument("--crops", type=int, default=3, help="random crops per case; 0: none")
    parser.add_argument("--samples", type=int, help="size of the ensemble (default: the card's)")
    return execute(parser, run, arguments)


def run(args: argparse.Namespace) -> int:
    """Compare every chosen model."""
    rows: list[Row] = []
    for entry in chosen_models(args):
        rows += compare(entry, pack_of(entry, args), _unet_path(entry, args), args)
    told = conditions(args, grid="the model's")
    Table("cDAL, U-Net and a centred ellipsoid", told, rows).publish(args.json)
    return 0


def compare(
    entry: ModelEntry, pack: Pack, unet: Path | None, args: argparse.Namespace
) -> list[Row]:
    """All rows of one model."""
    predictor = CdalPredictor.load(entry, args.device)
    options = RunOptions(args.seed, args.samples)
    network = None if unet is None else _unet(entry.name, unet)
    rows: list[Row] = []
    for view, train, test in _views(entry, pack, args):
        radii = best_radii([case.label.numpy() > 0 for case in train]) if train else None
        for name, places in _inputs(entry, predictor.recipe.generator.image_channels):
            tell(f"{entry.name}: {name}, {view}, {len(test)} images")
            shipped = Shipped(predictor, places, options)
            scores = {"cDAL": _scores(shipped, test, entry)}
            if network is not None:
                scores["U-Net"] = _scores(_unet_outliner(entry.name, network, places), test, entry)
            if radii is not None:
                scores["ellipsoid"] = _scores(_ellipsoid_outliner(radii), test, entry)
            rows += _rows(entry, name, view, scores, shipped, len(test))
    return rows


def _views(
    entry: ModelEntry, pack: Pack, args: argparse.Namespace
) -> list[tuple[str, list[PackedCase], list[PackedCase]]]:
    """(what is shown, train cases for the ellipsoid or none, test cases)."""
    test = list(pack.part("test"))[: args.limit]
    train = list(pack.part("train")) if len(entry.labels) == 1 else []
    views = [("whole", train, test)]
    if args.crops and train and entry.settings["grid"]["kind"] == "spacing":
        train, test = (
            [crop for case in part for crop in random_crops(case, args.crops, args.seed)]
            for part in (train, test)
        )
        views.append((f"{args.crops} random crops", train, test))
    return views


def _inputs(entry: ModelEntry, channels: int) -> list[tuple[str, tuple[int, ...]]]:
    """All channels together, then each optional one alone."""
    names = [part.name for part in entry.inputs]
    together = ("+".join(names), tuple(range(channels)))
    if len(names) == 1 or any(part.required for part in entry.inputs):
        return [together]
    return [together, *[(name, (place,)) for place, name in enumerate(names)]]


def _scores(outline: Outliner, cases: Sequence[PackedCase], entry: ModelEntry) -> NDArray[Any]:
    """Dice (cases, labels); crops of one case are averaged."""
    by_case: dict[str, list[list[float]]] = {}
    for case in cases:
        row = dice_per_label(outline(case), case.label.numpy(), len(entry.labels))
        by_case.setdefault(case.name.split(" crop ")[0], []).append(row)
    return np.array([np.mean(rows, axis=0) for rows in by_case.values()])


def _rows(
    entry: ModelEntry,
    name: str,
    view: str,
    scores: dict[str, NDArray[Any]],
    shipped: Shipped,
    images: int,
) -> list[Row]:
    rows: list[Row] = []
    for index, label in enumerate(entry.labels):
        row: dict[str, Any] = {"model": entry.name, "input": name, "view": view}
        row |= {"cases": len(scores["cDAL"]), "label": label.name}
        row |= {way: Spread.of(values[:, index]) for way, values in scores.items()}
        row["cDAL not found"] = f"{shipped.not_found} of {images}"
        row["cDAL s/image"] = round(shipped.seconds / images, 3)
        rows.append(row)
    return rows


def _unet_path(entry: ModelEntry, args: argparse.Namespace) -> Path | None:
    given: Path | None = dict(args.unet).get(entry.name)
    if given is None and args.runs is not None:
        there = args.runs / entry.name / "unet.pt"
        given = there if there.exists() else None
    return given


def _unet(name: str, path: Path) -> torch.nn.Module:
    from Testing.Benchmarks.unet_baseline import build

    network: torch.nn.Module = build(load_task(name))
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return network.eval()


def _unet_outliner(name: str, network: torch.nn.Module, places: tuple[int, ...]) -> Outliner:
    from Testing.Benchmarks.unet_baseline import predict

    task = load_task(name)

    @torch.inference_mode()
    def outline(case: PackedCase) -> Classes:
        image = torch.zeros_like(case.image)
        image[list(places)] = case.image[list(places)]
        classes: Classes = predict(task, network, PackedCase(case.name, image, case.label))
        return classes

    return outline


def _ellipsoid_outliner(radii: Radii) -> Outliner:
    return lambda case: centred_ellipsoid(case.label.shape, radii).astype(np.uint8)


if __name__ == "__main__":
    raise SystemExit(main())
