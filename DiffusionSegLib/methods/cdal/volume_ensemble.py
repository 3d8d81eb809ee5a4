"""Runs the ensemble over a whole image, window by window, and blends the windows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from DiffusionSegLib.diffusion.variance_preserving import VariancePreservingProcess
from DiffusionSegLib.methods.cdal.ensemble import (
    EnsembleResult,
    EnsembleSettings,
    PreviewCallback,
    StartFrom,
    draw_ensemble,
)
from DiffusionSegLib.methods.cdal.generator import Generator
from DiffusionSegLib.methods.cdal.model_grid import ModelGrid
from DiffusionSegLib.methods.cdal.windows import (
    WindowSource,
    blend_weight,
    put_window,
    take_window,
    window_positions,
)
from DiffusionSegLib.progress import Progress

Array = NDArray[np.float32]
PreviewMaker = Callable[[], Array]
Start = tuple[int, ...]
_SEED_STRIDE = 1_000_003


@dataclass(frozen=True)
class SlabResult:
    """Moments on the grid: mean, deviation (labels, K, J, I); drawn: samples per window; stopped:
    whether a window has fewer because the user had enough."""

    mean: Array
    deviation: Array
    drawn: tuple[int, ...]
    agreement: float
    stopped: bool = False


@dataclass(frozen=True)
class GivenMask:
    """A mask to start from.

    mask: (mask_channels, K, J, I) of ±1; keep: (1, K, J, I), 1 where fixed; index: see StartFrom.
    """

    mask: Array
    keep: Array
    index: int

    def slices(self, part: slice) -> GivenMask:
        """Some slices of it."""
        return GivenMask(self.mask[:, part], self.keep[:, part], self.index)


class VolumeSampler:
    """Mean and deviation of N samples over an image of any size.

    Each window has a generator of its own, seeded from (seed, window number), so the answer does
    not depend on the order of windows, and a window alone gives what it gives within a volume.
    """

    def __init__(
        self,
        network: Generator,
        process: VariancePreservingProcess,
        grid: ModelGrid,
        labels: int,
        settings: EnsembleSettings,
        seed: int,
    ) -> None:
        self._network, self._process, self._grid = network, process, grid
        self._labels, self._settings, self._seed = labels, settings, seed

    def run(
        self,
        image: WindowSource,
        progress: Progress | None = None,
        given: GivenMask | None = None,
        first_window: int = 0,
        preview: Callable[[PreviewMaker], None] | None = None,
    ) -> SlabResult:
        """image: K is 1 or the network is volumetric.

        preview is given a function that makes (labels, K, J, I), the estimate so far; it costs
        nothing when it is not called, and may be called before ``preview`` returns.
        """
        shape = image.shape
        window = self._grid.window_for(shape, self._network.config.stride)
        starts = window_positions(shape, window, self._grid.overlap)
        weight = blend_weight(window, self._grid.overlap if len(starts) > 1 else 0.0)[None]
        total, spread = (np.zeros((self._labels, *shape), np.float32) for _ in range(2))
        weights = np.zeros((1, *shape), np.float32)
        drawn, volumes, stopped = [], [], False
        whole = progress or Progress.silent()
        for index, start in enumerate(starts):
            part = whole.part(index / len(starts), (index + 1) / len(starts), "Drawing samples")
            show = None if preview is None else _shown(preview, total, weights, weight, start)
            number = first_window + index
            result = self._window_ensemble(image, start, window, number, given, part, show)
            put_window(total, result.mean.cpu().numpy().reshape(-1, *window) * weight, start)
            put_window(spread, result.deviation.cpu().numpy().reshape(-1, *window) * weight, start)
            put_window(weights, weight, start)
            drawn.append(result.drawn)
            volumes.append(result.volumes)
            stopped = stopped or result.stopped
        whole.report(1.0)
        np.divide(total, weights, out=total)
        np.divide(spread, weights, out=spread)
        return SlabResult(total, spread, tuple(drawn), _agreement(volumes), stopped)

    def _window_ensemble(
        self,
        image: WindowSource,
        start: tuple[int, ...],
        window: tuple[int, int, int],
        number: int,
        given: GivenMask | None,
        progress: Progress,
        preview: PreviewCallback | None,
    ) -> EnsembleResult:
        device = next(self._network.parameters()).device
        rng = torch.Generator().manual_seed(self._seed * _SEED_STRIDE + number)
        piece = self._tensor(image.take(start, window), device)
        begin = None
        if given is not None:
            mask = self._tensor(take_window(given.mask, start, window), device)
            keep = self._tensor(take_window(given.keep, start, window), device) > 0.5
            begin = StartFrom(mask, given.index, keep)
        return draw_ensemble(
            self._network,
            self._process,
            piece,
            self._labels,
            self._settings,
            rng,
            begin,
            progress,
            preview,
        )

    def _tensor(self, piece: Array, device: torch.device) -> torch.Tensor:
        tensor = torch.from_numpy(np.ascontiguousarray(piece)).to(device)
        return tensor if self._grid.is_volumetric else tensor[:, 0]


def _shown(
    preview: Callable[[PreviewMaker], None],
    total: Array,
    weights: Array,
    weight: Array,
    start: Start,
) -> PreviewCallback:
    """Shows what is done so far together with the current window's estimate."""

    def make(estimate: torch.Tensor) -> Array:
        shown, divisor = total.copy(), weights.copy()
        window = weight.shape[1:]
        put_window(shown, estimate.float().cpu().numpy().reshape(-1, *window) * weight, start)
        put_window(divisor, weight, start)
        return np.divide(shown, np.maximum(divisor, 1e-6), dtype=np.float32)

    return lambda estimate: preview(lambda: make(estimate))


def _agreement(windows: Sequence[tuple[float, ...]]) -> float:
    """Mean size of a window's samples over the largest: 1 when all are equal, 1/n when all but one
    of n are empty. Windows count by their size, so that a speck does not outvote the object."""
    largest = np.array([max(volumes) for volumes in windows])
    sizes = np.array([sum(volumes) / len(volumes) for volumes in windows])
    shares = np.divide(sizes, largest, out=np.ones_like(sizes), where=largest > 0)
    return float(np.average(shares, weights=sizes)) if sizes.any() else 1.0
