"""What a run of DiffuGTS will cost, from the card and the image alone; without torch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.methods.counted import counted
from DiffusionSegLib.methods.diffugts.sparing import VOXELS_AT_ONCE, cut_down
from DiffusionSegLib.methods.diffugts.working_sizes import working_shape
from DiffusionSegLib.methods.forecast import Economies, Forecast, RunWish, Work
from DiffusionSegLib.nouns.prompt import Prompt

__all__ = ["diffugts_economies", "diffugts_forecast"]

_MARGIN_MM = 60.0  # around marks: the diffusion model has to see healthy tissue
# Share of the slices that are filled, which shows on the way only: of a volume in which marks say
# where the lesion is, of one that is searched by words, and of a region, which the user or a plan
# chose around it. Of the bundled volumes words fill 0.59 to 0.94.
_MARKED, _SEARCHED, _IN_REGION = 0.5, 0.75, 0.85
_FOLLOWING = 0.3  # what following a region into a slice takes next to choosing one
_USUAL = {"start": 1.0, "steps": 10, "jumps": 1, "seeds": 3, "window": 64, "smallest_window": 64}
_USUAL |= {"places_at_once": 8192}


class _Kind(NamedTuple):
    """Of backbones: dims of their images, voxels of a place of the latent, and of what the sides of
    images are multiples."""

    dims: int
    factor: int
    multiple: int


_KINDS = {"compact": _Kind(2, 4, 32), "pipeline": _Kind(2, 8, 64), "maisi": _Kind(3, 4, 32)}
# Voxels that MAISI encodes at once at most, and what encoding takes next to decoding as many, of
# memory and of time: 337 of 498 MiB and 6.1 of 10.2 s for 64 x 64 x 64 voxels, as
# Testing.Benchmarks.maisi_networks measures it.
_ENCODED_AT_ONCE, _ENCODING, _ENCODING_TIME = 320 * 320 * 160, 0.68, 0.59


class _Path(NamedTuple):
    seeds: int
    passes: int
    window: int
    places_at_once: int


def diffugts_economies(model: ModelEntry) -> Economies:
    """Fewer windows at once first, which changes nothing in the result."""
    return Economies(
        smaller=("with fewer windows at once", "with one window at once"),
        least_samples=1,
        margin_mm=_MARGIN_MM,
    )


def diffugts_forecast(model: ModelEntry, wish: RunWish) -> Forecast:
    """Units: a place of the latent in one pass of the denoising network ("place"), a place that is
    decoded ("decoded"; encoding a volume without maps counts as part of it), a voxel that the
    encoder reads ("read"); a square slice in which a region is chosen, which happens on a canvas of
    one size ("chosen"); the sentence network ("sentences"); a run ("run")."""
    geometry = wish.image.geometry
    if wish.region is not None:
        geometry = geometry.crop(wish.region.slices_kji(geometry))
    kind = _KINDS.get(str(_part(model, "backbone").get("kind")), _KINDS["compact"])
    shape = working_shape(geometry, kind.dims, model.settings.get("grid"))
    path = _card_path(model, wish)
    items = shape[0] if kind.dims == 2 else 1
    padded = [-(-side // kind.multiple) * kind.multiple for side in shape[-kind.dims :]]
    each = float(math.prod(padded))
    voxels, places = items * each, each / kind.factor**kind.dims
    filled = items if items == 1 else max(1.0, items * _share(wish))
    trained = "networks" in model.settings
    window = min(places, float(path.window**kind.dims))
    work = filled * places * path.seeds
    # Words choose in every slice, which is kept; marks in theirs, and follow the region from there.
    marked = _is_marked(wish.prompt)
    following = _FOLLOWING * filled * _square(shape) if marked else 0.0
    sure = {"sentences": float(trained), "read": voxels if trained else 0.0}
    drawing = {
        "place": work * path.passes,
        "decoded": filled * places * (path.seeds + 1),
        "chosen": following + (_square(shape) if marked else _square(shape) * shape[0]),
        "run": 1.0,
    }
    at_once = max(window, min(float(path.places_at_once), work))
    if kind.dims == 3 and not trained:
        decoded = min(float(path.places_at_once), filled * places * (path.seeds + 1))
        encoded = min(each, _ENCODED_AT_ONCE) / kind.factor**kind.dims
        at_once = max(window, decoded, _ENCODING * encoded)
        drawing["decoded"] += _ENCODING_TIME * filled * places
    read_at_once = min(voxels, max(each, VOXELS_AT_ONCE / _shrunk(wish)))
    sizes = {
        "at once": at_once,
        "kept": filled * places * (path.seeds + 1),
        "read": read_at_once,
        "voxel": voxels,
        "sentences": float(trained),
        "run": 1.0,
    }
    said = f"up to {items} slices" if items > 1 else "one image"
    return Forecast(
        embed=Work({"read": sure["read"] if items == 1 else 0.0}, {"read": read_at_once}),
        propose=Work({**sure, **({"read": 0.0} if items == 1 else {}), **drawing}, sizes),
        again=Work({**drawing, "chosen": following}, sizes),
        words=f"{said}, {counted(path.seeds, 'sample')} of {counted(path.passes, 'step')}",
        samples=path.seeds,
        exact=False,
    )


def _is_marked(prompt: Prompt) -> bool:
    return not prompt.kinds.isdisjoint(("points", "boxes", "scribbles"))


def _share(wish: RunWish) -> float:
    if wish.region is not None:
        return _IN_REGION
    return _MARKED if _is_marked(wish.prompt) else _SEARCHED


def _square(shape: tuple[int, int, int]) -> float:
    """What a slice is of a square one with the same longer side."""
    return min(shape[1:]) / max(shape[1:])


def _shrunk(wish: RunWish) -> int:
    return cut_down(wish.economy).voxels_divisor


def _card_path(model: ModelEntry, wish: RunWish) -> _Path:
    try:
        return _path(model, wish)
    except (TypeError, ValueError, OverflowError) as error:
        raise ModelError(f"The card's inpainting settings are not usable: {error}.") from error


def _path(model: ModelEntry, wish: RunWish) -> _Path:
    """As RunSettings makes it."""
    card = {**_USUAL, **_part(model, "inpainting")}
    chosen: dict[str, Any] = dict(card)
    if wish.run.samples is not None:
        chosen["seeds"] = wish.run.samples
    for name in ("start", "steps", "jumps"):
        if wish.run.parameters.get(name):
            chosen[name] = wish.run.parameters[name]
    steps, jumps = int(chosen["steps"]), int(chosen["jumps"])
    passes = steps * jumps - (jumps - 1)  # the last step is not repeated
    cut = cut_down(wish.economy)
    window = int(chosen["window"] if not cut.smallest else chosen["smallest_window"])
    return _Path(int(chosen["seeds"]), passes, window, cut.places(int(chosen["places_at_once"])))


def _part(model: ModelEntry, name: str) -> Mapping[str, Any]:
    values = model.settings.get(name, {})
    return values if isinstance(values, Mapping) else {}
