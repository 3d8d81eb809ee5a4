"""The pictures of tutorial.md, drawn from the files that its own commands write.

    python -m Testing.Benchmarks.tutorial_pictures -o Resources/Documentation
    python -m Testing.Benchmarks.tutorial_pictures -o FOLDER --results tutorial

writes tutorial-NAME.png of each walk and prints the Dice of every outline in it. Without --results
the commands and programs of tutorial.md are run first, in a folder of their own.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw

from DiffusionSegLib.demo.samples import samples_folder
from DiffusionSegLib.errors import InputError
from DiffusionSegLib.evaluation import picture
from DiffusionSegLib.evaluation.explaining import explaining_pictures
from DiffusionSegLib.evaluation.metrics import dice
from DiffusionSegLib.evaluation.sheet import base_picture, orientation
from DiffusionSegLib.evaluation.slices import PLANE_AXES, Slice, Turned, best_slice
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.resample import resample
from Testing.Project.document_desk import Desk, lay_out
from Testing.Project.documents import blocks
from Testing.Project.source import ROOT

__all__ = ["WALKS", "Shown", "Walk", "draw", "measured"]

TUTORIAL = ROOT / "Resources" / "Documentation" / "tutorial.md"
_SIDE, _TITLE_HEIGHT, _DOT, _MOST_BYTES = 330, 28, 6, 140_000
_GROUND = (18, 18, 20)
_INCLUDED, _RIM = (90, 220, 90), (0, 0, 0)
_EXPLAINED = ("pseudo-healthy", "difference")


@dataclass(frozen=True)
class Shown:
    """title: above the picture; outline: the file drawn; clicks: (column, row) on the slice;
    stroke: rows and columns of a line; explained: beginning of the names of auxiliary images."""

    title: str
    outline: str
    clicks: tuple[tuple[int, int], ...] = ()
    stroke: tuple[slice, slice] | None = None
    explained: str = ""


@dataclass(frozen=True)
class Walk:
    """image, label: below the samples. number: of the slice shown; None: three planes, or the
    picture. window: the part of the picture that is shown, enlarged: left, upper, right, lower as
    shares of its sides."""

    name: str
    image: str
    label: str
    shown: tuple[Shown, ...]
    number: int | None = None
    window: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)


WALKS = (
    Walk(
        "cdal",
        "msd_hippocampus/images/hippocampus_033.nii.gz",
        "msd_hippocampus/labels/hippocampus_033.nii.gz",
        (Shown("", "hippocampus.seg.nrrd"),),
    ),
    Walk(
        "adzus-photograph",
        "isic2017_98/images/ISIC_0012956.jpg",
        "isic2017_98/labels/ISIC_0012956.png",
        (
            Shown("one click", "lesion-1.png", ((248, 163),)),
            Shown("two clicks", "lesion-2.png", ((248, 163), (220, 156))),
        ),
        window=(0.3, 0.2, 0.7, 0.7),
    ),
    Walk(
        "adzus-mr",
        "sts_ct_mr/images/STS_049_mr.nii.gz",
        "sts_ct_mr/labels/STS_049.nii.gz",
        (
            Shown("one click", "calf-1.seg.nrrd", ((26, 37),)),
            Shown("two clicks", "calf-2.seg.nrrd", ((26, 37), (58, 25))),
        ),
        24,
    ),
    Walk(
        "diffugts-words",
        "sts_ct_mr/images/STS_021_mr.nii.gz",
        "sts_ct_mr/labels/STS_021.nii.gz",
        (Shown("MR, words", "words-mr.seg.nrrd", explained="explained/words-mr"),),
        38,
    ),
    Walk(
        "diffugts-stroke",
        "sts_ct_mr/images/STS_021_ct.nii.gz",
        "sts_ct_mr/labels/STS_021.nii.gz",
        (
            Shown("CT, words", "words-ct.seg.nrrd"),
            Shown("CT, a stroke", "stroke-ct.seg.nrrd", stroke=(slice(34, 35), slice(50, 72))),
        ),
        38,
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--results", type=Path, metavar="FOLDER", help="what the commands wrote")
    args = parser.parse_args(arguments)
    if args.results is not None:
        return _draw_all(args.results, args.output)
    with tempfile.TemporaryDirectory(prefix="tutorial-") as folder:
        return _draw_all(walked(Path(folder)), args.output)


def walked(folder: Path) -> Path:
    """Do what the tutorial says in this empty folder; returns the folder of the results.

    Raises InputError when something of it fails.
    """
    lay_out(folder)
    desk = Desk(folder)
    for block in blocks(TUTORIAL, "sh", "python"):
        if "Testing." in block.text:
            continue  # this very command
        lines = block.lines if block.language == "sh" else [""]
        for line in lines:
            answer = desk.shell(line) if line else desk.python(block.text)
            if answer.code:
                raise InputError(f"{block.title}: {answer.told}")
    return folder / "tutorial"


def _draw_all(results: Path, output: Path) -> int:
    for walk in WALKS:
        path = output / f"tutorial-{walk.name}.png"
        draw(walk, results, path)
        told = ", ".join(f"{one.outline} {measured(walk, one, results):.3f}" for one in walk.shown)
        print(f"{path}: Dice {told}", flush=True)
    return 0


def measured(walk: Walk, shown: Shown, results: Path) -> float:
    """Dice of all labels together, on the slice that is shown."""
    image, truth = _image(walk), _truth(walk)
    return dice(_outline(results / shown.outline, image).array > 0, truth.array > 0)


def draw(walk: Walk, results: Path, path: Path) -> None:
    """The picture of one walk as PNG, in few colors where it would be large."""
    image, truth = _image(walk), _truth(walk)
    turned = orientation(image)
    drawn: list[Pillow.Image] = []
    for shown in walk.shown:
        found = _outline(results / shown.outline, image)
        for plane in _planes(image):
            place = best_slice(turned, turned.apply(truth.array != 0), plane)
            side = round(_SIDE / (walk.window[2] - walk.window[0]))
            outlined = _outlined(
                base_picture(image, turned, place, side), truth, found, turned, place
            )
            _mark(outlined, shown, turned, place, image)
            drawn.append(_titled(shown.title or plane, _cropped(outlined, walk.window)))
        if shown.explained:
            drawn += _explained(results / shown.explained, image, turned, place)
    row = picture.beside(drawn, ground=_GROUND)
    row.save(path, optimize=True)
    if path.stat().st_size > _MOST_BYTES:  # rare colors, those of the lines, are kept
        few = row.quantize(256, Pillow.Quantize.MAXCOVERAGE, dither=Pillow.Dither.NONE)
        few.save(path, optimize=True)


def _planes(image: Image) -> tuple[str, ...]:
    return ("picture",) if image.dimension == 2 else tuple(PLANE_AXES)


def _image(walk: Walk) -> Image:
    image = Image.read(samples_folder() / walk.image)
    return image if walk.number is None else replace(image.crop(_cut(walk.number)), dimension=2)


def _truth(walk: Walk) -> Mask:
    truth = Mask.read(samples_folder() / walk.label)
    return truth if walk.number is None else replace(truth.crop(_cut(walk.number)), dimension=2)


def _cut(number: int) -> tuple[slice, slice, slice]:
    return slice(number, number + 1), slice(None), slice(None)


def _outline(path: Path, image: Image) -> Mask:
    """On the grid of the image; a photograph has no place in space."""
    mask = Mask.read(path)
    if mask.array.shape == image.geometry.shape_kji:
        return mask
    array = resample(mask.array[np.newaxis], mask.geometry, image.geometry, "nearest", 0.0)[0]
    return Mask(array, image.geometry, mask.labels, dimension=2)


def _outlined(
    drawn: Pillow.Image, truth: Mask, found: Mask, turned: Turned, place: Slice
) -> Pillow.Image:
    known, outline = (place.of(turned.apply(one.array)) for one in (truth, found))
    for value in np.unique(known[known > 0]):
        drawn = picture.draw_outline(drawn, known == value, picture.TRUTH_COLOR, 3.2)
    for value in np.unique(outline[outline > 0]):
        drawn = picture.draw_outline(drawn, outline == value, picture.PREDICTION_COLOR, 1.8)
    return drawn


def _cropped(drawn: Pillow.Image, window: tuple[float, float, float, float]) -> Pillow.Image:
    left, upper, right, lower = window
    width, height = drawn.size
    return drawn.crop(
        (round(left * width), round(upper * height), round(right * width), round(lower * height))
    )


def _mark(drawn: Pillow.Image, shown: Shown, turned: Turned, place: Slice, image: Image) -> None:
    """A dot for every click, a line for the stroke."""
    pen = ImageDraw.Draw(drawn)
    for column, row in shown.clicks:
        x, y = _middle(
            drawn, (slice(row, row + 1), slice(column, column + 1)), turned, place, image
        )
        for radius, color in ((_DOT, _RIM), (_DOT - 2, _INCLUDED)):
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), color)
    if shown.stroke is not None:
        rows, columns = shown.stroke
        ends = [slice(columns.start, columns.start + 1), slice(columns.stop - 1, columns.stop)]
        line = [_middle(drawn, (rows, one), turned, place, image) for one in ends]
        for width, color in ((7, _RIM), (4, _INCLUDED)):
            pen.line(line, color, width)


def _middle(
    drawn: Pillow.Image, where: tuple[slice, slice], turned: Turned, place: Slice, image: Image
) -> tuple[float, float]:
    """Column and row in the picture."""
    marked = np.zeros(image.geometry.shape_kji, bool)
    marked[(0, *where)] = True
    seen: NDArray[np.bool_] = place.of(turned.apply(marked))
    down, right = (np.argwhere(seen).mean(axis=0) + 0.5) / seen.shape
    return float(right * drawn.width), float(down * drawn.height)


def _explained(beginning: Path, image: Image, turned: Turned, place: Slice) -> list[Pillow.Image]:
    files = {name: beginning.parent / f"{beginning.name}-{name}.nrrd" for name in _EXPLAINED}
    told = SimpleNamespace(auxiliary={name: Image.read(file) for name, file in files.items()})
    pictures = explaining_pictures(told, image, turned, place, _SIDE)  # type: ignore[arg-type]
    return [_titled(one.name, one.picture) for one in pictures]


def _titled(title: str, drawn: Pillow.Image) -> Pillow.Image:
    framed = Pillow.new("RGB", (drawn.width, drawn.height + _TITLE_HEIGHT), _GROUND)
    framed.paste(drawn, (0, _TITLE_HEIGHT))
    picture.draw_text(framed, (4, _TITLE_HEIGHT // 2), title, anchor="lm", size=14)
    return framed


if __name__ == "__main__":
    raise SystemExit(main())
