"""What a run of cDAL will cost, from the card and the image alone; without torch."""

from __future__ import annotations

import math
from dataclasses import replace

from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.methods.cdal.config import GeneratorConfig
from DiffusionSegLib.methods.cdal.model_grid import ModelGrid
from DiffusionSegLib.methods.cdal.windows import window_positions
from DiffusionSegLib.methods.counted import counted
from DiffusionSegLib.methods.forecast import Economies, Forecast, RunWish, Work

__all__ = ["cdal_economies", "cdal_forecast", "windows_of"]

_STEERED = 0.5  # share of marked runs in which the marks contradict the first outline (our guess)
_LEAST_DRAWN = 3  # before drawing may stop, see EnsembleSettings
_MARGIN_WINDOWS = 0.5  # of the model's window, which is what it was trained to see around an object


def cdal_economies(model: ModelEntry) -> Economies:
    """Smaller windows only where larger ones are used; samples follow each other, so that fewer
    would save nothing."""
    grid = _grid(model)
    larger = grid.largest_kji is not None and grid.largest_kji != grid.window_kji
    spacing = grid.spacing_mm
    margin = 0.0
    if spacing is not None:
        sides = [n * mm for n, mm in zip(grid.window_kji[::-1], spacing, strict=True)]
        margin = max(sides) * _MARGIN_WINDOWS
    return Economies(half=True, smaller=("in smaller windows",) if larger else (), margin_mm=margin)


def cdal_forecast(model: ModelEntry, wish: RunWish) -> Forecast:
    """Units: a voxel of a window in one step of the network, to which encoding a window adds one
    ("step", in full precision "full step"); a value of the image to be prepared ("value"); a run
    ("run"). In memory: a voxel of a window ("window", "full window"), of the result ("grid")."""
    grid, steps = _grid(model), _whole(model, "noise_steps")
    if wish.economy.smaller:
        grid = replace(grid, largest_kji=None)
    geometry = wish.image.geometry
    if wish.region is not None:
        geometry = geometry.crop(wish.region.slices_kji(geometry))
    values = float(geometry.voxel_count * len(wish.image.array))
    shape = grid.geometry(geometry).shape_kji
    window, windows = windows_of(grid, _generator(model).stride, shape)
    samples = wish.run.samples or _whole(model, "samples")
    drawn = _drawn(wish, samples)
    once = float(windows * math.prod(window))
    level = min(int(wish.run.parameters.get("refine_level", 1)), steps)
    marked = bool(wish.prompt.points) or wish.prompt.scribbles is not None
    second = _STEERED * once * (1 + drawn * level) if marked else 0.0
    full = "" if _in_half(wish) else "full "
    step = f"{full}step"
    sizes = {
        f"{full}window": float(math.prod(window)),
        "grid": float(len(model.labels) * math.prod(shape)),
        "value": values,
        "run": 1.0,
    }
    words = f"{counted(windows, 'window')}, up to {counted(samples, 'sample')}"
    return Forecast(
        embed=Work({"value": values}, {"value": values}),
        propose=Work({step: once * (1 + drawn * steps) + second, "run": 1.0}, sizes),
        again=Work({step: second, "run": 1.0}, sizes if marked else {}),
        words=words,
        samples=samples,
        exact=not marked,
    )


def windows_of(
    grid: ModelGrid, stride: int, shape_kji: tuple[int, ...]
) -> tuple[tuple[int, int, int], int]:
    """Size of a window, and how many there are in all slices; shape_kji: on the model's grid."""
    slabs = 1 if grid.is_volumetric else shape_kji[0]
    shape = tuple(shape_kji) if grid.is_volumetric else (1, *shape_kji[1:])
    window = grid.window_for(shape, stride)
    return window, slabs * len(window_positions(shape, window, grid.overlap))


def _drawn(wish: RunWish, samples: int) -> float:
    """Samples of a window on the average: drawing stops when the outline has settled."""
    if not wish.draws or float(wish.run.parameters.get("tolerance", 0.01)) <= 0:
        return float(samples)
    return max(float(min(samples, _LEAST_DRAWN)), samples * min(1.0, wish.draws))


def _in_half(wish: RunWish) -> bool:
    wanted = wish.run.parameters.get("precision", "auto")
    return wish.economy.half or wanted == "bfloat16" or (wanted == "auto" and wish.fast_half)


def _grid(model: ModelEntry) -> ModelGrid:
    try:
        return ModelGrid.from_dict(model.settings["grid"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _unusable(model, error) from error


def _generator(model: ModelEntry) -> GeneratorConfig:
    try:
        return GeneratorConfig.from_dict(model.settings["generator"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _unusable(model, error) from error


def _whole(model: ModelEntry, name: str) -> int:
    try:
        return int(model.settings[name])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise _unusable(model, error) from error


def _unusable(model: ModelEntry, error: Exception) -> ModelError:
    return ModelError(f"The card of the model {model.id} has unusable settings: {error}.")
