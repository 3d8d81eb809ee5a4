"""What one click outlines in a volume, beside a click on every slice.

    python -m Testing.Benchmarks.zero_shot_volumes --data FOLDER
    python -m Testing.Benchmarks.zero_shot_volumes --data FOLDER --sets hippocampus --limit 4

The simulated user clicks the middle of the object in 3D, then the middle of the largest 3D error
(DiffusionSegLib/evaluation/clicks.py). Beside it every slice is an image of its own, with a user of
its own who clicks as often on each: that takes a click for every slice that shows the object, and
is told which slices these are. Printed per data set: mean 3D Dice after 1 and 3 clicks; the same on
the compared slices alone, which leaves out what is too much beyond the object's ends; Dice of the
slice-wise outlines, put together, on these slices; seconds per case for the volume's clicks.

FOLDER holds open/. Of each volume every slice k that shows the object is compared, or as many as
--slices says, evenly.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.errors import InputError, unknown_name
from DiffusionSegLib.evaluation import metrics
from DiffusionSegLib.evaluation.clicks import Click, first_click, next_click
from DiffusionSegLib.evaluation.truth import read_truth
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.session import Session
from DiffusionSegLib.training.splits import PARTS
from Testing.Benchmarks.common import clock, execute, tell
from Testing.Benchmarks.zero_shot.outliner import Outliner, SessionOutliner
from Testing.Benchmarks.zero_shot.sets import STS, DataSet, Source

BoolArray = NDArray[np.bool_]
SHOWN = (1, 3)
VOLUMES: Mapping[str, DataSet] = {
    "hippocampus": DataSet("Hippocampus, MR", (Source("open/msd_hippocampus"),)),
    "sarcoma-ct": DataSet("Sarcoma, CT", (Source(STS, suffix="_ct", left_out=("STS_019",)),)),
    "sarcoma-mr": DataSet("Sarcoma, MR", (Source(STS, suffix="_mr", left_out=("STS_019",)),)),
}


@dataclass(frozen=True)
class Measured:
    """One case. volume, within, slicewise: Dice after SHOWN clicks; see above. slices: how many are
    compared; seconds: of the volume's clicks."""

    name: str
    volume: tuple[float, ...]
    within: tuple[float, ...]
    slicewise: tuple[float, ...]
    slices: int
    seconds: float


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="holds open/")
    parser.add_argument("--sets", nargs="+", metavar="SET", help=f"of {', '.join(VOLUMES)}")
    parser.add_argument("--method", default="adzus", help="METHOD or METHOD/MODEL")
    parser.add_argument("--part", choices=PARTS, default="test")
    parser.add_argument(
        "--limit", type=int, metavar="N", help="at most so many cases a set, evenly"
    )
    parser.add_argument("--slices", type=int, metavar="N", help="compare at most so many a case")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N, xpu or mps")
    parser.add_argument("--threads", type=int, default=1)
    return execute(parser, run, arguments)


def run(args: argparse.Namespace) -> int:
    """All sets, then the table."""
    method, _, model = args.method.partition("/")
    outliner = SessionOutliner(Session(method, model or None, args.device))
    lines = [f"{args.method}, part {args.part}, {args.device}; clicks: {SHOWN}"]
    for name in args.sets or VOLUMES:
        if name not in VOLUMES:
            raise unknown_name("data set", name, VOLUMES)
        measured = [
            _measured(outliner, case, image, truth, args)
            for case, image, truth in _cases(VOLUMES[name], args)
        ]
        lines += _lines(VOLUMES[name].title, measured)
    print("\n".join(lines), flush=True)
    return 0


def _measured(
    outliner: Outliner, name: str, image: Image, truth: BoolArray, args: argparse.Namespace
) -> Measured:
    begun = clock(args.device)
    compared = compared_slices(truth, args.slices)
    found = clicked(outliner, image, truth)
    seconds = clock(args.device) - begun
    alone = np.zeros((len(SHOWN), *truth.shape), dtype=bool)
    for k in compared:
        part = (slice(k, k + 1), slice(None), slice(None))
        cut = Image(
            image.array[(slice(None), *part)], image.geometry.crop(part), image.channel_names,
            dimension=2,
        )  # fmt: skip
        alone[(slice(None), *part)] = clicked(outliner, cut, truth[part])
    known = truth[compared]
    measured = Measured(
        name,
        tuple(metrics.dice(one, truth) for one in found),
        tuple(metrics.dice(one[compared], known) for one in found),
        tuple(metrics.dice(one[compared], known) for one in alone),
        len(compared),
        seconds,
    )
    tell(str(measured))
    return measured


def compared_slices(truth: BoolArray, most: int | None) -> list[int]:
    """The slices k with something in them, or so many of them, evenly."""
    there = np.flatnonzero(truth.any(axis=(1, 2)))
    if most is not None and most < len(there):
        there = there[np.linspace(0, len(there) - 1, most).round().astype(int)]
    return [int(k) for k in there]


def clicked(outliner: Outliner, image: Image, truth: BoolArray) -> list[BoolArray]:
    """The outlines after SHOWN clicks; an exact one stays."""
    outliner.set_image(image)
    spacing_kji = image.geometry.spacing_mm[::-1]
    clicks: list[Click] = []
    outlines: list[BoolArray] = []
    click = first_click(truth, spacing_kji)
    for _ in range(SHOWN[-1]):
        if click is not None:
            clicks.append(click)
            outlines.append(outliner.outline(clicks))
            click = next_click(truth, outlines[-1], spacing_kji)
        else:
            outlines.append(outlines[-1])
    return [outlines[count - 1] for count in SHOWN]


def _cases(data: DataSet, args: argparse.Namespace) -> list[tuple[str, Image, BoolArray]]:
    source = data.sources[0]
    folder = args.data / source.folder
    if not (folder / "labels").is_dir():
        raise InputError(f"{folder} holds no labels; give the folder that has open/ below it.")
    labels = {path.name.split(".")[0]: path for path in sorted((folder / "labels").iterdir())}
    names = [name for name in labels if name not in source.left_out]
    names = data.in_part(source, names, args.part)
    if args.limit is not None and args.limit < len(names):
        names = [names[number * len(names) // args.limit] for number in range(args.limit)]
    found = []
    for name in names:
        image = Image.read(folder / "images" / f"{name}{source.suffix}.nii.gz")
        found.append((name, image, read_truth(labels[name], image).mask.array > 0))
    return found


def _lines(title: str, measured: Sequence[Measured]) -> list[str]:
    def means(which: str) -> str:
        table = np.array([getattr(one, which) for one in measured])
        return "  ".join(f"{value:.3f}" for value in table.mean(axis=0))

    slices = float(np.mean([one.slices for one in measured]))
    return [
        f"{title}: {len(measured)} cases, {np.mean([one.seconds for one in measured]):.0f} s each",
        f"  3D Dice                      {means('volume')}",
        f"  3D Dice, compared slices     {means('within')}",
        f"  slice-wise, compared slices  {means('slicewise')}   (on each of {slices:.0f} slices)",
    ]


if __name__ == "__main__":
    raise SystemExit(main())
