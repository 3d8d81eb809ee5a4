"""Turns the coordinates of the command line into a prompt in RAS mm."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from DiffusionSegLib.cli.arguments import PointArgument
from DiffusionSegLib.errors import PromptError

if TYPE_CHECKING:
    from DiffusionSegLib.nouns.geometry import Direction, Geometry
    from DiffusionSegLib.nouns.image import Image
    from DiffusionSegLib.nouns.prompt import Box, Point, Prompt

FRAMES = ("ras", "lps", "pixel")


def prompt_from(args: argparse.Namespace, image: Image) -> Prompt:
    """The prompt of --text, --point, --box, --region in --frame.

    Raises PromptError for a place outside the image.
    """
    from DiffusionSegLib.nouns.prompt import Prompt

    prompt = Prompt(
        text=args.text,
        points=tuple(_point(point, args.frame, image) for point in args.point),
        boxes=tuple(_box(box, args.frame, image) for box in args.box),
        region=_box(args.region, args.frame, image) if args.region else None,
    )
    prompt.points_kji(image.geometry)
    regions = (prompt.region,) if prompt.region is not None else ()
    for box in (*prompt.boxes, *regions):
        box.slices_kji(image.geometry)
    return prompt


def _point(argument: PointArgument, frame: str, image: Image) -> Point:
    from DiffusionSegLib.nouns.prompt import Point

    return Point(_ras(argument.values, frame, image), argument.include)


def _box(values: tuple[float, ...], frame: str, image: Image) -> Box:
    half = len(values) // 2
    first, second = values[:half], values[half:]
    if frame == "pixel":
        return _pixel_box(first, second, image)
    from DiffusionSegLib.nouns.prompt import Box

    return Box.from_corners(_ras(first, frame, image), _ras(second, frame, image))


def _ras(values: tuple[float, ...], frame: str, image: Image) -> tuple[float, float, float]:
    _check_count(values, image)
    if frame == "pixel":
        i, j, k = _third(values, 0.0)
        x, y, z = image.geometry.kji_to_ras([(k, j, i)])[0]
        return float(x), float(y), float(z)
    x, y, z = _third(values, image.geometry.origin_lps[2])
    return (-x, -y, z) if frame == "lps" else (x, y, z)


def _pixel_box(first: tuple[float, ...], second: tuple[float, ...], image: Image) -> Box:
    """Both corner pixels belong to the box; its edges run along the image's axes."""
    from DiffusionSegLib.nouns.prompt import Box

    axes = _axes_ras(image.geometry)
    if not _is_square(axes):
        raise PromptError(
            "The slices of this image are tilted against each other (sheared), so a box of its "
            "pixels has no right angles; give the box in mm, with --frame ras or lps."
        )
    center = _ras(tuple((a + b) / 2 for a, b in zip(first, second, strict=True)), "pixel", image)
    extent_ijk = _third(tuple(abs(b - a) for a, b in zip(first, second, strict=True)), 0.0)
    spacing = image.geometry.spacing_mm
    i_mm, j_mm, k_mm = ((count + 1) * mm for count, mm in zip(extent_ijk, spacing, strict=True))
    return Box(center, (i_mm, j_mm, k_mm), axes)


def _is_square(axes: Direction) -> bool:
    """Whether the axes are perpendicular, to what a box accepts."""
    i, j, k = zip(*axes, strict=True)
    pairs = ((i, j), (i, k), (j, k))
    return all(abs(sum(a * b for a, b in zip(*pair, strict=True))) < 1e-3 for pair in pairs)


def _axes_ras(geometry: Geometry) -> Direction:
    """Columns are the directions of i, j, k in RAS."""
    left, posterior, superior = geometry.direction  # rows; columns are i, j, k
    return (
        (-left[0], -left[1], -left[2]),
        (-posterior[0], -posterior[1], -posterior[2]),
        superior,
    )


def _third(values: tuple[float, ...], missing: float) -> tuple[float, float, float]:
    first, second, *rest = values
    return first, second, rest[0] if rest else missing


def _check_count(values: tuple[float, ...], image: Image) -> None:
    if len(values) == 2 and image.dimension == 3:
        raise PromptError(
            f"The image is a volume, but {','.join(f'{value:g}' for value in values)} has two "
            "coordinates; give three."
        )
