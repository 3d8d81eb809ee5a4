"""What the user asks for: words, clicks, boxes, scribbles, a region."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from DiffusionSegLib.errors import PromptError
from DiffusionSegLib.nouns.geometry import IDENTITY_DIRECTION, Direction, Float3, Geometry
from DiffusionSegLib.nouns.mask import Mask

__all__ = ["Box", "Point", "Prompt"]

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LONGEST_TEXT = 1000
_EXCLUDE_WORDS = frozenset({"-", "exclude", "negative", "background"})
_INCLUDE_WORDS = frozenset({"+", "include", "positive", "foreground"})


@dataclass(frozen=True)
class Point:
    """A click at `position_ras` in mm: it belongs (`include`) or does not belong to the outline."""

    position_ras: Float3
    include: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "position_ras", _position("point", self.position_ras))
        object.__setattr__(self, "include", bool(self.include))

    @classmethod
    def of(cls, value: Point | Sequence[Any]) -> Point:
        """A point, (x, y, z), (x, y) for a picture, or either followed by "+" or "-"."""
        if isinstance(value, Point):
            return value
        if isinstance(value, str) or not isinstance(value, Iterable):
            raise PromptError(f"A point is (x, y, z) in RAS mm, not {value!r}.")
        parts = list(value)
        include = True
        if parts and isinstance(parts[-1], str | bool):
            include = _sign(parts.pop())
        return cls(_position("point", parts), include)

    @classmethod
    def parse(cls, text: str) -> Point:
        """A point from text: "12.5,-30,41" or "12.5,-30,41,-" (RAS mm; "-" excludes)."""
        parts = [part.strip() for part in text.split(",")]
        sign: list[str] = []
        if parts[-1] in _EXCLUDE_WORDS | _INCLUDE_WORDS:
            sign = [parts.pop()]
        return cls.of([*_numbers("point", text, parts), *sign])


@dataclass(frozen=True)
class Box:
    """An oriented box: centre and edge lengths in mm; the COLUMNS of `axes` are its edges in RAS.

    A size of 0 along an axis is allowed for pictures, which have no depth.
    """

    center_ras: Float3
    size_mm: Float3
    axes: Direction = field(default=IDENTITY_DIRECTION)

    def __post_init__(self) -> None:
        object.__setattr__(self, "center_ras", _position("box centre", self.center_ras))
        object.__setattr__(self, "size_mm", _position("box size", self.size_mm))
        axes = np.asarray(self.axes, dtype=np.float64)
        if axes.shape != (3, 3) or not np.allclose(axes.T @ axes, np.eye(3), atol=1e-3):
            raise PromptError(
                f"A box's axes are three perpendicular unit vectors, not {self.axes}."
            )
        if min(self.size_mm) < 0 or sum(size > 0 for size in self.size_mm) < 2:
            raise PromptError(
                f"A box needs a size above zero, but its size is {self.size_mm} mm; draw it again."
            )
        nested = tuple(tuple(float(part) for part in row) for row in axes)
        object.__setattr__(self, "axes", nested)

    @classmethod
    def of(cls, value: Box | Sequence[float]) -> Box:
        """A box, or its two opposite corners as six numbers x0, y0, z0, x1, y1, z1 in RAS mm."""
        if isinstance(value, Box):
            return value
        numbers = _floats("box", value)
        if len(numbers) != 6:
            raise PromptError(
                f"A box is six numbers x0, y0, z0, x1, y1, z1 in RAS mm, not {list(value)}."
            )
        return cls.from_corners(numbers[:3], numbers[3:])

    @classmethod
    def from_corners(cls, first_ras: Sequence[float], second_ras: Sequence[float]) -> Box:
        """The box along the RAS axes between two opposite corners in mm."""
        first = np.asarray(_position("box corner", first_ras))
        second = np.asarray(_position("box corner", second_ras))
        return cls(tuple((first + second) / 2), tuple(abs(second - first)))

    @classmethod
    def parse(cls, text: str) -> Box:
        """A box from text "x0,y0,z0,x1,y1,z1" in RAS mm."""
        return cls.of(_numbers("box", text, text.split(",")))

    def corners_ras(self) -> NDArray[np.float64]:
        """The 8 corners (8, 3) in RAS mm."""
        signs = np.stack(np.meshgrid(*[(-0.5, 0.5)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
        edges = np.asarray(self.axes) * np.asarray(self.size_mm)
        return np.asarray(np.asarray(self.center_ras) + signs @ edges.T)

    def contains(self, points_ras: ArrayLike, margin_mm: float = 0.0) -> NDArray[np.bool_]:
        """Whether each RAS point (N, 3) lies in the box grown by a margin."""
        offsets = np.atleast_2d(np.asarray(points_ras, float)) - np.asarray(self.center_ras)
        half = np.asarray(self.size_mm) / 2 + margin_mm
        return np.asarray((np.abs(offsets @ np.asarray(self.axes)) <= half + 1e-9).all(axis=1))

    def slices_kji(self, geometry: Geometry, margin_mm: float = 0.0) -> tuple[slice, slice, slice]:
        """The smallest block of voxels around the box, clipped to the image.

        Voxels whose centre lies outside the box's range of indices are left out, except that at
        least one voxel is kept along each axis. On one slice the third coordinate is ignored.
        Raises PromptError when the box lies outside the image.
        """
        grown = Box(self.center_ras, _grown(self.size_mm, margin_mm), self.axes)
        corners_kji = geometry.ras_to_kji(grown.corners_ras())
        low, high = corners_kji.min(axis=0), corners_kji.max(axis=0)
        slices = []
        for axis, count in enumerate(geometry.shape_kji):
            if axis == 0 and count == 1:
                slices.append(slice(0, 1))
                continue
            if high[axis] < -0.5 or low[axis] > count - 0.5:
                raise PromptError(f"The box around {_shown(self.center_ras)} {_outside(geometry)}")
            slices.append(_clipped(low[axis], high[axis], count))
        return slices[0], slices[1], slices[2]


@dataclass(frozen=True, eq=False)
class Prompt:
    """Everything the user said; any part may be empty. Positions are RAS mm.

    `scribbles` holds 1 for include and 2 for exclude, on any grid; `region` limits the search.
    Points may be given as (x, y, z) or (x, y, z, "-"), boxes as six numbers (opposite corners).
    """

    text: str = ""
    points: tuple[Point, ...] = ()
    boxes: tuple[Box, ...] = ()
    scribbles: Mask | None = None
    region: Box | None = None

    def __post_init__(self) -> None:
        points, boxes = _several("points", self.points), _several("boxes", self.boxes)
        object.__setattr__(self, "text", _words(self.text))
        object.__setattr__(self, "points", tuple(Point.of(point) for point in points))
        object.__setattr__(self, "boxes", tuple(Box.of(box) for box in boxes))
        if self.region is not None:
            object.__setattr__(self, "region", Box.of(self.region))
        if self.scribbles is not None:
            _check_scribbles(self.scribbles)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was asked for; a region alone asks for nothing."""
        scribbled = self.scribbles is not None and not self.scribbles.is_empty
        return not (self.text or self.points or self.boxes or scribbled)

    @property
    def kinds(self) -> frozenset[str]:
        """Which of "text", "points", "boxes", "scribbles", "region" are given."""
        given = {
            "text": bool(self.text),
            "points": bool(self.points),
            "boxes": bool(self.boxes),
            "scribbles": self.scribbles is not None and not self.scribbles.is_empty,
            "region": self.region is not None,
        }
        return frozenset(name for name, present in given.items() if present)

    def points_kji(self, geometry: Geometry) -> NDArray[np.float64]:
        """Continuous voxel indices (N, 3) in (k, j, i) order, one row per point.

        On one slice k is 0. Raises PromptError for a point outside the image.
        """
        if not self.points:
            return np.empty((0, 3))
        points_kji = geometry.ras_to_kji([point.position_ras for point in self.points])
        if geometry.shape_kji[0] == 1:
            points_kji[:, 0] = 0.0
        inside = geometry.contains_ras(geometry.kji_to_ras(points_kji))
        for point, good in zip(self.points, inside, strict=True):
            if not good:
                raise PromptError(f"The point {_shown(point.position_ras)} {_outside(geometry)}")
        return points_kji

    def scribbles_on(self, geometry: Geometry) -> NDArray[np.uint8] | None:
        """The scribbles on a grid (k, j, i): 1 include, 2 exclude; None when there are none."""
        if self.scribbles is None:
            return None
        return self.scribbles.resampled(geometry).array

    def to_dict(self) -> dict[str, Any]:
        """What JSON can hold of it; scribbles are counted, not listed."""
        boxes = [self.region] if self.region is not None else []
        found: dict[str, Any] = {
            "text": self.text,
            "points": [
                [*point.position_ras, "+" if point.include else "-"] for point in self.points
            ],
            "boxes": [_box_dict(box) for box in self.boxes],
            "region": _box_dict(boxes[0]) if boxes else None,
        }
        if self.scribbles is not None:
            found["scribbled_voxels"] = int(np.count_nonzero(self.scribbles.array))
        return {name: value for name, value in found.items() if value}


def _words(text: object) -> str:
    """Without line breaks, control characters and doubled spaces; None is no text, and never the
    word "None"."""
    if text is not None and not isinstance(text, str):
        raise PromptError(f"A text is words in quotes, not {text!r}.")
    words = " ".join(_CONTROL.sub(" ", text or "").split())
    if len(words) > _LONGEST_TEXT:
        raise PromptError(
            f"The text has {len(words)} characters, but words for a structure have at most "
            f"{_LONGEST_TEXT}; shorten it."
        )
    try:
        words.encode()
    except UnicodeEncodeError as error:
        raise PromptError(
            f"The text {words!a} has characters that are not in the terminal's encoding; type it "
            "again."
        ) from error
    return words


def _several(kind: str, values: object) -> Iterable[Any]:
    if values is None:
        return ()
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise PromptError(f"The {kind} of a prompt are a list, not {values!r}.")
    return values


def _check_scribbles(scribbles: object) -> None:
    if not isinstance(scribbles, Mask):
        raise PromptError(
            f"Scribbles are a Mask, not {type(scribbles).__name__}; make one with "
            "Mask.from_array(array, image.geometry)."
        )
    if int(scribbles.array.max()) > 2:
        raise PromptError(
            f"Scribbles hold 1 (include) and 2 (exclude), not {int(scribbles.array.max())}."
        )


def _box_dict(box: Box) -> dict[str, Any]:
    return {"center_ras": box.center_ras, "size_mm": box.size_mm, "axes": box.axes}


def _sign(value: str | bool) -> bool:
    if isinstance(value, bool):
        return value
    word = value.strip().lower()
    if word in _INCLUDE_WORDS or word in _EXCLUDE_WORDS:
        return word in _INCLUDE_WORDS
    raise PromptError(f"A point is marked '+' (include) or '-' (exclude), not {value!r}.")


def _numbers(kind: str, text: str, parts: Sequence[str]) -> list[float]:
    try:
        return [float(part) for part in parts]
    except ValueError as error:
        raise PromptError(f"The {kind} {text!r} is not a list of numbers in RAS mm.") from error


def _floats(kind: str, values: object) -> list[float]:
    try:
        numbers = [float(value) for value in values]  # type: ignore[attr-defined]
    except (TypeError, ValueError, OverflowError) as error:
        raise PromptError(f"A {kind} is made of numbers in RAS mm, not {values!r}.") from error
    if not all(math.isfinite(number) for number in numbers):
        raise PromptError(f"A {kind} is made of finite numbers in RAS mm, not {values!r}.")
    return numbers


def _position(kind: str, values: object) -> Float3:
    numbers = _floats(kind, values)
    if len(numbers) == 2:
        numbers.append(0.0)
    if len(numbers) != 3:
        raise PromptError(f"A {kind} is three numbers in RAS mm, not {values!r}.")
    return numbers[0], numbers[1], numbers[2]


def _grown(size_mm: Float3, margin_mm: float) -> Float3:
    first, second, third = (size + 2 * margin_mm for size in size_mm)
    return first, second, third


def _clipped(low: float, high: float, count: int) -> slice:
    start = min(max(math.ceil(low - 1e-6), 0), count - 1)
    stop = max(min(math.floor(high + 1e-6) + 1, count), start + 1)
    return slice(start, stop)


def _shown(position_ras: Float3) -> str:
    return "(" + ", ".join(f"{value:.1f}" for value in position_ras) + ") mm RAS"


def _outside(geometry: Geometry) -> str:
    low, high = geometry.extent_ras_mm()
    ranges = ", ".join(
        f"{axis} {first:.1f} to {last:.1f}"
        for axis, first, last in zip("RAS", low, high, strict=True)
    )
    return f"lies outside the image, which spans {ranges} mm; place it inside the image."
