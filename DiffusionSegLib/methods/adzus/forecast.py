"""What a run of ADZUS will cost, from the card and the image alone; without torch."""

from __future__ import annotations

from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.methods.adzus.pass_sides import (
    CANVAS_SIDE,
    LARGEST_WHOLE,
    SPARING_SIDES,
    kept_planes,
    largest_side,
    scaled_sides,
)
from DiffusionSegLib.methods.adzus.slice_stack import best_axis
from DiffusionSegLib.methods.forecast import Economies, Forecast, RunWish, Work
from DiffusionSegLib.nouns.geometry import Geometry

__all__ = ["adzus_economies", "adzus_forecast"]

# Share of the slices that an object is followed over, which shows on the way only: of a volume, and
# of a region, which the user or a plan chose around it.
_FOLLOWED, _FOLLOWED_IN_REGION = 0.6, 0.85
_LOOKED_AT = 8  # slices, when nothing says on which the structure is
_MARGIN_MM = 40.0  # around marks


def adzus_economies(model: ModelEntry) -> Economies:
    """The pass is what takes memory: the square of the pixels that the network sees."""
    words = tuple(f"from pictures of {side} pixels a side at most" for side in SPARING_SIDES)
    return Economies(smaller=words, margin_mm=_MARGIN_MM)


def adzus_forecast(model: ModelEntry, wish: RunWish) -> Forecast:
    """Units: a pixel that the network sees in one pass ("pixel"), two pixels of a pass that look at
    each other ("pair"), a pixel of the canvas on which marks ("marks"), words ("words") or nothing
    ("regions") are answered, a pixel of a slice that is followed ("followed"); the sentence
    network, which words need ("sentences"); a run ("run")."""
    geometry = wish.image.geometry
    if wish.region is not None:
        geometry = geometry.crop(wish.region.slices_kji(geometry))
    count, rows, columns = _stack(geometry)
    if count == 1:
        rows, columns = (min(side, LARGEST_WHOLE) for side in (rows, columns))
    seen = scaled_sides(rows, columns, largest_side(wish.economy))
    pixels = float(seen[0] * seen[1])
    canvas = _canvas(rows, columns)
    answer = _answer(wish, pixels, canvas)
    sizes = _sizes(wish, count, pixels, canvas, rows * columns)
    one_pass = {"pixel": pixels, "pair": pixels**2}
    if count == 1:
        return Forecast(
            Work(one_pass, {"pair": pixels**2, "pixel": pixels}),
            Work({**answer, "run": 1.0}, sizes),
            Work({**answer, "sentences": 0.0, "run": 1.0}, sizes),
            "one picture",
        )
    followed = max(1.0, count * (_FOLLOWED_IN_REGION if wish.region else _FOLLOWED))
    looked = 0 if _is_marked(wish) else min(_LOOKED_AT, count)
    passes = followed + looked
    times = {kind: number * passes for kind, number in one_pass.items()}
    first = {kind: number * max(looked, 1) for kind, number in answer.items()}
    first["sentences"] = min(1.0, answer.get("sentences", 0.0))
    following = {"followed": followed * canvas, "run": 1.0}
    return Forecast(
        Work(),
        Work({**times, **first, **following}, sizes),
        Work({**first, **following, "sentences": 0.0}, sizes),
        f"up to {count} slices",
        exact=False,
    )


def _stack(geometry: Geometry) -> tuple[int, int, int]:
    """Slices, rows and columns along the best axis."""
    axis = best_axis(geometry)
    rows, columns = (n for a, n in enumerate(geometry.shape_kji) if a != axis)
    return geometry.shape_kji[axis], rows, columns


def _canvas(rows: int, columns: int) -> float:
    scale = CANVAS_SIDE / max(rows, columns)
    return rows * scale * columns * scale


def _is_marked(wish: RunWish) -> bool:
    return bool(wish.prompt.kinds - {"text", "region"})


def _answer(wish: RunWish, pixels: float, canvas: float) -> dict[str, float]:
    if _is_marked(wish):
        marks = len(wish.prompt.points) + len(wish.prompt.boxes)
        return {"marks": canvas * max(1, marks)}
    if wish.prompt.text:
        return {"words": pixels, "sentences": 1.0}
    return {"regions": canvas}


def _sizes(
    wish: RunWish, count: int, pixels: float, canvas: float, slice_pixels: int
) -> dict[str, float]:
    """While a further slice is made ready the kept ones are held."""
    kept = float(min(count, kept_planes(wish.economy)))
    words = bool(wish.prompt.text) and not _is_marked(wish)
    return {
        "pair": pixels**2,
        "pixel": pixels,
        "held pair": kept * pixels**2,
        "held canvas": kept * canvas,
        "voxel": float(count * slice_pixels),
        "sentences": float(words),
        "words": pixels**2 if words else 0.0,
        "run": 1.0,
    }
