"""Draws the ensemble over a whole image: slabs, precision, preview, and less memory if need be."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from DiffusionSegLib.compute.device import memory_errors_explained, prefers_bfloat16
from DiffusionSegLib.compute.device_memory import release_unused
from DiffusionSegLib.diffusion.variance_preserving import VariancePreservingProcess
from DiffusionSegLib.errors import OutOfMemoryError
from DiffusionSegLib.methods.cdal.embedding import CdalEmbedding
from DiffusionSegLib.methods.cdal.ensemble import EnsembleSettings
from DiffusionSegLib.methods.cdal.generator import Generator
from DiffusionSegLib.methods.cdal.model_grid import ModelGrid
from DiffusionSegLib.methods.cdal.presence import PresenceEvidence
from DiffusionSegLib.methods.cdal.recipe import Recipe
from DiffusionSegLib.methods.cdal.volume_ensemble import (
    GivenMask,
    PreviewMaker,
    SlabResult,
    VolumeSampler,
)
from DiffusionSegLib.methods.contract import RunOptions
from DiffusionSegLib.methods.forecast import Economy
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.progress import Progress

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Drawn:
    """What an ensemble over the whole grid gave: (labels, K, J, I) float16 each.

    samples, fewest: of the window with most and with fewest of them; stopped: because the user had
    enough; smaller_window: what it was cut into because the whole did not fit into memory.
    """

    mean: NDArray[np.float16]
    deviation: NDArray[np.float16]
    evidence: PresenceEvidence
    samples: int
    fewest: int
    stopped: bool = False
    smaller_window: tuple[int, int, int] | None = None


class Drawing:
    """One network on one device, drawing for one model's recipe."""

    def __init__(
        self,
        network: Generator,
        process: VariancePreservingProcess,
        recipe: Recipe,
        labels: int,
        device: str,
    ) -> None:
        self.network, self.process, self.recipe = network, process, recipe
        self._labels, self._device = labels, device
        self.economy: Economy | None = None

    def draw(
        self,
        embedding: CdalEmbedding,
        run: RunOptions,
        progress: Progress,
        given: GivenMask | None = None,
    ) -> Drawn:
        """The ensemble over the whole grid. When memory does not suffice for one window of the
        whole image, once more in windows of the size that the model was trained with; with an
        economy (see Sparing) that is left to who set it."""
        grid = self.recipe.grid
        if self.economy is not None:
            return self._draw_sparing(self.economy, embedding, run, progress, given)
        try:
            return self._draw_on(grid, embedding, run, progress, given)
        except OutOfMemoryError:
            used = grid.window_for(embedding.grid.shape_kji, self.network.config.stride)
            if used == grid.window_kji:
                raise
        # Outside the except block, where the error no longer keeps what was allocated.
        release_unused()
        _LOG.warning(
            "There is not enough memory for the whole image at once; using windows of %s voxels.",
            " x ".join(map(str, grid.window_kji)),
        )
        smaller = replace(grid, largest_kji=None)
        drawn = self._draw_on(smaller, embedding, run, progress, given)
        return replace(drawn, smaller_window=grid.window_kji)

    def _draw_sparing(
        self,
        economy: Economy,
        embedding: CdalEmbedding,
        run: RunOptions,
        progress: Progress,
        given: GivenMask | None,
    ) -> Drawn:
        """As a plan says; who planned notices when memory runs out."""
        grid = self.recipe.grid
        cut = replace(grid, largest_kji=None) if economy.smaller else grid
        drawn = self._draw_on(cut, embedding, run, progress, given)
        stride = self.network.config.stride
        window, usual = (g.window_for(embedding.grid.shape_kji, stride) for g in (cut, grid))
        return drawn if window == usual else replace(drawn, smaller_window=window)

    def _draw_on(
        self,
        grid: ModelGrid,
        embedding: CdalEmbedding,
        run: RunOptions,
        progress: Progress,
        given: GivenMask | None,
    ) -> Drawn:
        """One attempt; slice by slice for 2D models."""
        shape = (self._labels, *embedding.grid.shape_kji)
        mean, deviation = np.zeros(shape, np.float16), np.zeros(shape, np.float16)
        evidence = PresenceEvidence()
        counts: list[int] = []
        stopped = False
        slabs = self._slabs(embedding)
        sampler = self._sampler(grid, run)
        with memory_errors_explained("this image"), torch.inference_mode(), self.precision(run):
            for index, part in enumerate(slabs):
                step = progress.part(
                    index / len(slabs), (index + 1) / len(slabs), "Drawing samples"
                )
                show = self._preview(embedding, mean, part, step) if run.preview else None
                result = self._draw_slab(embedding, sampler, part, index, step, given, show)
                mean[:, part], deviation[:, part] = result.mean, result.deviation
                evidence.add(result.mean, result.agreement)
                counts += result.drawn
                stopped = stopped or result.stopped
        return Drawn(mean, deviation, evidence, max(counts), min(counts), stopped)

    def _draw_slab(
        self,
        embedding: CdalEmbedding,
        sampler: VolumeSampler,
        part: slice,
        index: int,
        progress: Progress,
        given: GivenMask | None,
        show: Callable[[PreviewMaker], None] | None,
    ) -> SlabResult:
        source = embedding.source
        if not self.recipe.grid.is_volumetric:
            source = source.slice(index)
            given = None if given is None else given.slices(part)
        return sampler.run(source, progress, given, index * 100_003, show)

    def _preview(
        self, embedding: CdalEmbedding, mean: NDArray[np.float16], part: slice, progress: Progress
    ) -> Callable[[PreviewMaker], None]:
        """Reports the slabs that are done together with the current one's estimate."""

        def image(make: PreviewMaker) -> Image:
            shown = mean.copy()
            shown[:, part] = make()
            return Image(shown, embedding.grid, dimension=embedding.dimension)

        return lambda make: progress.report(0.0, preview=lambda: image(make))

    def _slabs(self, embedding: CdalEmbedding) -> list[slice]:
        depth = embedding.grid.shape_kji[0]
        if self.recipe.grid.is_volumetric:
            return [slice(0, depth)]
        return [slice(k, k + 1) for k in range(depth)]

    def _sampler(self, grid: ModelGrid, run: RunOptions) -> VolumeSampler:
        settings = EnsembleSettings(
            samples=self.samples(run),
            tolerance=float(run.parameters.get("tolerance", 0.01)),
        )
        return VolumeSampler(self.network, self.process, grid, self._labels, settings, run.seed)

    def samples(self, run: RunOptions) -> int:
        """At most so many a window."""
        return run.samples or self.recipe.samples

    def precision(self, run: RunOptions) -> AbstractContextManager[Any]:
        """The arithmetic that the run asks for."""
        wanted = run.parameters.get("precision", "auto")
        enabled = wanted == "bfloat16" or (wanted == "auto" and prefers_bfloat16(self._device))
        enabled = enabled or (self.economy is not None and self.economy.half)
        return torch.autocast(torch.device(self._device).type, torch.bfloat16, enabled=enabled)
