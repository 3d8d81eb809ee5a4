"""cDAL with one model on one device: embed, propose, refine."""

from __future__ import annotations

import logging
import platform
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import DiffusionSegLib
from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.backbones.weights import load_weights
from DiffusionSegLib.compute.device import memory_errors_explained, prefers_bfloat16
from DiffusionSegLib.diffusion.variance_preserving import (
    VariancePreservingConfig,
    VariancePreservingProcess,
)
from DiffusionSegLib.errors import ModelError, OutOfMemoryError
from DiffusionSegLib.methods.cdal.constraints import FREE, Fixed, on_grid, prompt_constraints
from DiffusionSegLib.methods.cdal.embedding import CdalEmbedding, embed_image
from DiffusionSegLib.methods.cdal.ensemble import EnsembleSettings
from DiffusionSegLib.methods.cdal.generator import Generator
from DiffusionSegLib.methods.cdal.model_grid import ModelGrid
from DiffusionSegLib.methods.cdal.presence import PresenceEvidence, verdict_of
from DiffusionSegLib.methods.cdal.recipe import Recipe
from DiffusionSegLib.methods.cdal.refine import encoded_mask, pin, start_mask, user_voxels
from DiffusionSegLib.methods.cdal.steering import steered_classes
from DiffusionSegLib.methods.cdal.volume_ensemble import (
    GivenMask,
    PreviewMaker,
    SlabResult,
    VolumeSampler,
)
from DiffusionSegLib.methods.cdal.workload import cdal_trial, cdal_workload
from DiffusionSegLib.methods.contract import RunOptions, Workload
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Box, Prompt
from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegLib.nouns.provenance import Provenance
from DiffusionSegLib.nouns.verdict import PresenceVerdict, Verdict
from DiffusionSegLib.progress import Progress

_LOG = logging.getLogger(__name__)
_WEIGHTS = "weights.safetensors"
_FEW_VOXELS = 4096  # an outline of so few may vanish on a coarser grid


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


class CdalPredictor:
    """Implements the method contract's Predictor."""

    def __init__(self, model: ModelEntry, network: Generator, device: str) -> None:
        self.model, self.device = model, device
        self.recipe = Recipe.of(model)
        self._network = network.to(device).eval().requires_grad_(False)
        config = VariancePreservingConfig(self.recipe.noise_steps)
        self._process = VariancePreservingProcess(config)

    @staticmethod
    def load(model: ModelEntry, device: str) -> CdalPredictor:
        """Read and check the weights; raises ModelError."""
        recipe = Recipe.of(model)
        tensors = load_weights(model, _WEIGHTS)
        try:
            network = Generator(recipe.generator)
            network.load_state_dict({name: value.float() for name, value in tensors.items()})
        except (RuntimeError, TypeError, ValueError) as error:
            raise ModelError(
                f"The weights of {model.id} do not fit the network that its card describes "
                f"({str(error).splitlines()[0]}); install the model again."
            ) from error
        with memory_errors_explained(f"the model {model.id}"):
            return CdalPredictor(model, network, device)

    def embed(self, image: Image, region: Box | None, progress: Progress) -> CdalEmbedding:
        """The image on the model's grid."""
        with memory_errors_explained("this image"):
            return embed_image(self.model, self.recipe, image, region, progress)

    def propose(
        self, embedding: CdalEmbedding, prompt: Prompt, run: RunOptions, progress: Progress
    ) -> Proposal:
        """Draw the ensemble. Clicks and scribbles are kept exactly and steer a second ensemble
        that starts from the first one's outline; boxes limit the outline."""
        begun = time.monotonic()
        marked = bool(prompt.points) or prompt.scribbles is not None
        with memory_errors_explained("this image"):
            drawn = self._draw(embedding, run, progress.part(0.0, 0.5) if marked else progress)
            fixed = self._prompted(embedding, prompt, drawn, run) if marked else None
            if fixed is not None:
                given = self._steered(embedding, fixed, drawn, run)
                drawn = self._draw(embedding, run, progress.part(0.5, 1.0), given)
            return self._proposal(embedding, drawn, fixed, prompt, run, begun)

    def refine(
        self,
        embedding: CdalEmbedding,
        mask: Mask,
        prompt: Prompt,
        run: RunOptions,
        progress: Progress,
        original: Mask | None,
    ) -> Proposal:
        """Noise the edited mask to an intermediate level and denoise it under the image.

        Voxels that the user painted or erased (where ``mask`` differs from ``original``), clicks
        and scribbles are put back after every step and are exact in the result.
        """
        begun = time.monotonic()
        values = [label.value for label in self.model.labels]
        with memory_errors_explained("this image"):
            mask = mask.resampled(embedding.geometry)
            fixed = user_voxels(mask, original, values, prompt, self._brush(embedding, run))
            given = self._given(embedding, fixed, mask, self._level(run))
            drawn = self._draw(embedding, run, progress, given)
            return self._proposal(embedding, drawn, fixed, prompt, run, begun)

    def workload(self, embedding: CdalEmbedding, prompt: Prompt, run: RunOptions) -> Workload:
        """Of a propose; with marks the ensemble is drawn twice."""
        once = cdal_workload(
            self.recipe.grid,
            self._network.config.stride,
            embedding,
            len(self.model.labels),
            self._samples(run),
            self.recipe.noise_steps,
        )
        marked = bool(prompt.points) or prompt.scribbles is not None
        return replace(once, units=once.units * 2) if marked else once

    def trial(self, embedding: CdalEmbedding, run: RunOptions, progress: Progress) -> float:
        """One window, one step."""
        progress.report(0.0, "Timing one step")
        with memory_errors_explained("this image"), self._precision(run):
            return cdal_trial(self._network, self.recipe.grid, embedding)

    def _draw(
        self,
        embedding: CdalEmbedding,
        run: RunOptions,
        progress: Progress,
        given: GivenMask | None = None,
    ) -> Drawn:
        """The ensemble over the whole grid. When memory does not suffice for one window of the
        whole image, once more in windows of the size that the model was trained with."""
        grid = self.recipe.grid
        try:
            return self._draw_on(grid, embedding, run, progress, given)
        except OutOfMemoryError:
            used = grid.window_for(embedding.grid.shape_kji, self._network.config.stride)
            if used == grid.window_kji:
                raise
        # Outside the except block, where the error no longer keeps what was allocated.
        if self.device.startswith("cuda"):
            torch.cuda.empty_cache()
        _LOG.warning(
            "There is not enough memory for the whole image at once; using windows of %s voxels.",
            " x ".join(map(str, grid.window_kji)),
        )
        smaller = replace(grid, largest_kji=None)
        drawn = self._draw_on(smaller, embedding, run, progress, given)
        return replace(drawn, smaller_window=grid.window_kji)

    def _draw_on(
        self,
        grid: ModelGrid,
        embedding: CdalEmbedding,
        run: RunOptions,
        progress: Progress,
        given: GivenMask | None,
    ) -> Drawn:
        """One attempt; slice by slice for 2D models."""
        shape = (len(self.model.labels), *embedding.grid.shape_kji)
        mean, deviation = np.zeros(shape, np.float16), np.zeros(shape, np.float16)
        evidence = PresenceEvidence()
        counts: list[int] = []
        stopped = False
        slabs = self._slabs(embedding)
        sampler = self._sampler(grid, run)
        with memory_errors_explained("this image"), torch.inference_mode(), self._precision(run):
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
            samples=self._samples(run),
            tolerance=float(self._parameter(run, "tolerance", 0.01)),
        )
        labels = len(self.model.labels)
        return VolumeSampler(self._network, self._process, grid, labels, settings, run.seed)

    def _samples(self, run: RunOptions) -> int:
        return run.samples or self.recipe.samples

    def _precision(self, run: RunOptions) -> AbstractContextManager[Any]:
        wanted = self._parameter(run, "precision", "auto")
        enabled = wanted == "bfloat16" or (wanted == "auto" and prefers_bfloat16(self.device))
        return torch.autocast(torch.device(self.device).type, torch.bfloat16, enabled=enabled)

    def _parameter(self, run: RunOptions, name: str, default: Any) -> Any:
        return run.parameters.get(name, default)

    def _brush(self, embedding: CdalEmbedding, run: RunOptions) -> float:
        chosen = float(self._parameter(run, "brush_mm", 0.0))
        return chosen or max(embedding.grid.spacing_mm) * 1.5

    def _prompted(
        self, embedding: CdalEmbedding, prompt: Prompt, drawn: Drawn, run: RunOptions
    ) -> Fixed | None:
        """Voxels fixed by clicks and scribbles, on the original grid."""
        likely = Image(drawn.mean, embedding.grid, dimension=embedding.dimension)
        full = likely.resampled(embedding.geometry, outside=0.0)
        classes = full.array.argmax(axis=0) + 1
        brush = self._brush(embedding, run)
        return prompt_constraints(prompt, embedding.geometry, classes, brush)

    def _level(self, run: RunOptions) -> int:
        """The noise level from which a given outline is denoised."""
        return min(int(self._parameter(run, "refine_level", 1)), self._process.steps)

    def _steered(
        self, embedding: CdalEmbedding, fixed: Fixed, drawn: Drawn, run: RunOptions
    ) -> GivenMask:
        """The first outline as the marks correct it."""
        fixed_grid = on_grid(fixed, embedding.geometry, embedding.grid)
        classes = steered_classes(drawn.mean, fixed_grid, embedding.grid)
        start = encoded_mask(classes, len(self.model.labels))
        return GivenMask(start, (fixed_grid != FREE).astype(np.float32)[None], self._level(run))

    def _given(
        self, embedding: CdalEmbedding, fixed: Fixed, mask: Mask | None, level: int
    ) -> GivenMask:
        values = [label.value for label in self.model.labels]
        fixed_grid = on_grid(fixed, embedding.geometry, embedding.grid)
        start = start_mask(mask, values, embedding.grid, fixed_grid)
        keep = (fixed_grid != FREE).astype(np.float32)[None]
        return GivenMask(start, keep, level)

    def _proposal(
        self,
        embedding: CdalEmbedding,
        drawn: Drawn,
        fixed: Fixed | None,
        prompt: Prompt,
        run: RunOptions,
        begun: float,
    ) -> Proposal:
        probability = Image(drawn.mean, embedding.grid, dimension=embedding.dimension)
        if fixed is not None or prompt.boxes:
            probability = pin(probability, embedding.geometry, fixed, prompt.boxes)
        doubt = Image(
            drawn.deviation.max(axis=0, keepdims=True),
            embedding.grid,
            dimension=embedding.dimension,
        )
        proposal = Proposal(
            probability,
            self.model.labels,
            self._verdict(drawn, fixed, run),
            self._provenance(prompt, run, drawn, begun),
            uncertainty=doubt,
            geometry=embedding.geometry,
        )
        if (prompt.boxes or drawn.evidence.voxels < _FEW_VOXELS) and proposal.mask().is_empty:
            proposal.verdict = self._nothing_left(prompt)
        return proposal

    def _nothing_left(self, prompt: Prompt) -> PresenceVerdict:
        """For an outline that is empty on the image's grid: never called a success."""
        place = " inside the box" if prompt.boxes else ""
        reason = f"This image does not seem to show {self.recipe.target}{place}."
        return PresenceVerdict(Verdict.NOT_FOUND, 0.0, reason)

    def _verdict(self, drawn: Drawn, fixed: Fixed | None, run: RunOptions) -> PresenceVerdict:
        verdict = verdict_of(drawn.evidence, self.recipe.presence, self.recipe.target)
        if fixed is not None and bool((fixed > 0).any()):
            reason = "The user marked it in this image."
            verdict = PresenceVerdict(Verdict.FOUND, verdict.score, reason)
        if not drawn.stopped:
            return verdict
        count = str(drawn.fewest)
        if drawn.samples > drawn.fewest:
            count += f" to {drawn.samples}"
        reason = f"{verdict.reason} Stopped early, after {count} of {self._samples(run)} samples."
        return replace(verdict, reason=reason)

    def _provenance(
        self, prompt: Prompt, run: RunOptions, drawn: Drawn, begun: float
    ) -> Provenance:
        parameters: dict[str, Any] = {**run.parameters, "samples": drawn.samples}
        if drawn.stopped:
            parameters |= {"stopped_early": True, "fewest_samples": drawn.fewest}
        if drawn.smaller_window is not None:
            parameters["window_kji_for_lack_of_memory"] = list(drawn.smaller_window)
        return Provenance(
            method=self.model.method,
            model=self.model.id,
            weights_sha256=self.model.file(_WEIGHTS).sha256,
            prompt=prompt.to_dict(),
            seed=run.seed,
            versions={
                "DiffusionSeg": DiffusionSegLib.__version__,
                "torch": str(torch.__version__),
                "python": platform.python_version(),
            },
            device=self.device,
            duration_s=round(time.monotonic() - begun, 3),
            parameters=parameters,
            licence=self.model.licence.name,
        )
