"""cDAL with one model on one device: embed, propose, refine."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import Any

import numpy as np

from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.backbones.weights import load_weights
from DiffusionSegLib.compute.device import memory_errors_explained
from DiffusionSegLib.diffusion.variance_preserving import (
    VariancePreservingConfig,
    VariancePreservingProcess,
)
from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.methods.cdal.drawing import Drawing, Drawn
from DiffusionSegLib.methods.cdal.embedding import CdalEmbedding, embed_image
from DiffusionSegLib.methods.cdal.first_outline import FirstOutline
from DiffusionSegLib.methods.cdal.generator import Generator
from DiffusionSegLib.methods.cdal.presence import verdict_of
from DiffusionSegLib.methods.cdal.recipe import Recipe
from DiffusionSegLib.methods.cdal.refine import encoded_mask, start_mask
from DiffusionSegLib.methods.cdal.steering import first_classes, nearness, steered_classes
from DiffusionSegLib.methods.cdal.volume_ensemble import (
    GivenMask,
)
from DiffusionSegLib.methods.cdal.workload import cdal_trial, cdal_workload
from DiffusionSegLib.methods.constraints import FREE, Fixed, on_grid, prompt_constraints
from DiffusionSegLib.methods.contract import RunOptions, Workload
from DiffusionSegLib.methods.forecast import Economy
from DiffusionSegLib.methods.pinning import pin, user_voxels
from DiffusionSegLib.methods.run_provenance import run_provenance
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


class CdalPredictor:
    """Implements the method contract's Predictor."""

    def __init__(self, model: ModelEntry, network: Generator, device: str) -> None:
        self.model, self.device = model, device
        self.recipe = Recipe.of(model)
        self._network = network.to(device).eval().requires_grad_(False)
        config = VariancePreservingConfig(self.recipe.noise_steps)
        process = VariancePreservingProcess(config)
        self._drawing = Drawing(self._network, process, self.recipe, len(model.labels), device)
        self._first: FirstOutline[Drawn] = FirstOutline()

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

    @property
    def economy(self) -> Economy | None:
        """See Sparing."""
        return self._drawing.economy

    @economy.setter
    def economy(self, value: Economy | None) -> None:
        if value != self._drawing.economy:
            self._drawing.economy = value
            self._first = FirstOutline()

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
        known = self._first.get(embedding, run) is not None
        share = 0.0 if known else 0.5 if marked else 1.0
        with memory_errors_explained("this image"):
            drawn = self._unmarked(embedding, run, progress.part(0.0, share))
            fixed = self._prompted(embedding, prompt, drawn, run) if marked else None
            if fixed is not None:
                part = progress.part(share, 1.0)
                drawn = self._steered(embedding, fixed, drawn, run, part)
            progress.report(1.0)
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
            drawn = self._drawing.draw(embedding, run, progress, given)
            return self._proposal(embedding, drawn, fixed, prompt, run, begun)

    def workload(self, embedding: CdalEmbedding, prompt: Prompt, run: RunOptions) -> Workload:
        """Of a propose. The ensemble without marks may be drawn already; marks have a second one
        drawn, unless the first one agrees with them."""
        once = cdal_workload(
            self.recipe.grid,
            self._network.config.stride,
            embedding,
            len(self.model.labels),
            self._drawing.samples(run),
            self.recipe.noise_steps,
        )
        marked = bool(prompt.points) or prompt.scribbles is not None
        known = self._first.get(embedding, run) is not None
        ensembles = int(marked) + int(not known)
        return replace(once, units=once.units * ensembles, exact=not (marked or known))

    def trial(self, embedding: CdalEmbedding, run: RunOptions, progress: Progress) -> float:
        """One window, one step."""
        progress.report(0.0, "Timing one step")
        with memory_errors_explained("this image"), self._drawing.precision(run):
            return cdal_trial(self._network, self.recipe.grid, embedding)

    def _unmarked(self, embedding: CdalEmbedding, run: RunOptions, progress: Progress) -> Drawn:
        """The ensemble without marks; a second prompt on the same image finds it done."""
        drawn = self._first.get(embedding, run)
        if drawn is None:
            drawn = self._drawing.draw(embedding, run, progress)
            if not drawn.stopped:
                self._first.keep(embedding, run, drawn)
        return drawn

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
        return min(int(self._parameter(run, "refine_level", 1)), self._drawing.process.steps)

    def _steered(
        self,
        embedding: CdalEmbedding,
        fixed: Fixed,
        first: Drawn,
        run: RunOptions,
        progress: Progress,
    ) -> Drawn:
        """The first ensemble, drawn again around what the marks contradict in it."""
        fixed_grid = on_grid(fixed, embedding.geometry, embedding.grid)
        classes = steered_classes(first.mean, fixed_grid, embedding.grid)
        weight = nearness(classes != first_classes(first.mean), embedding.grid)[None]
        if not weight.any():
            return first
        start = encoded_mask(classes, len(self.model.labels))
        keep = (fixed_grid != FREE).astype(np.float32)[None]
        given = GivenMask(start, keep, self._level(run))
        second = self._drawing.draw(embedding, run, progress, given)
        mean = first.mean + weight * (second.mean - first.mean)
        deviation = first.deviation + weight * (second.deviation - first.deviation)
        return replace(second, mean=mean.astype(np.float16), deviation=deviation.astype(np.float16))

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
        most = self._drawing.samples(run)
        reason = f"{verdict.reason} Stopped early, after {count} of {most} samples."
        return replace(verdict, reason=reason)

    def _provenance(
        self, prompt: Prompt, run: RunOptions, drawn: Drawn, begun: float
    ) -> Provenance:
        parameters: dict[str, Any] = {"samples": drawn.samples}
        if drawn.stopped:
            parameters |= {"stopped_early": True, "fewest_samples": drawn.fewest}
        if drawn.smaller_window is not None:
            parameters["window_kji_for_lack_of_memory"] = list(drawn.smaller_window)
        weights = self.model.file(_WEIGHTS).sha256
        return run_provenance(self.model, weights, prompt, run, self.device, begun, parameters)
