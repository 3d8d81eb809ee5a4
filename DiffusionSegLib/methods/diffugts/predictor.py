"""DiffuGTS with one backbone on one device: embed, propose, refine."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from DiffusionSegLib.backbones.generative.interface import GenerativeBackbone
from DiffusionSegLib.backbones.generative.opening import open_generative
from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.backbones.store import store_of
from DiffusionSegLib.compute.device import memory_errors_explained
from DiffusionSegLib.errors import PromptError
from DiffusionSegLib.methods.constraints import prompt_constraints
from DiffusionSegLib.methods.contract import RunOptions, Workload
from DiffusionSegLib.methods.diffugts.asked_target import AskedTarget, asked_target
from DiffusionSegLib.methods.diffugts.coarse_mask import CoarseMask, coarse_mask
from DiffusionSegLib.methods.diffugts.embedding import DiffuGtsEmbedding, Reading, embed_image
from DiffusionSegLib.methods.diffugts.intensities import IntensityRule
from DiffusionSegLib.methods.diffugts.map_reading import read_maps
from DiffusionSegLib.methods.diffugts.marked_choice import MarkedChoice, UntrainedMarkedChoice
from DiffusionSegLib.methods.diffugts.marked_mask import marked_mask
from DiffusionSegLib.methods.diffugts.marks import grid_marks
from DiffusionSegLib.methods.diffugts.networks import TrainedNetworks, load_networks
from DiffusionSegLib.methods.diffugts.outcome import Outcome, make_proposal
from DiffusionSegLib.methods.diffugts.outlining import Outlining, given_mask
from DiffusionSegLib.methods.diffugts.prompt_pair import prompt_pair
from DiffusionSegLib.methods.diffugts.run_settings import RunSettings
from DiffusionSegLib.methods.diffugts.seeing import Sight, see
from DiffusionSegLib.methods.diffugts.slice_regions import RegionShelf
from DiffusionSegLib.methods.diffugts.sparing import VOXELS_AT_ONCE, cut_down
from DiffusionSegLib.methods.diffugts.text_side import TextSide
from DiffusionSegLib.methods.diffugts.verdicts import (
    PresenceLimits,
    marked_verdict,
    text_verdict,
)
from DiffusionSegLib.methods.diffugts.working_grid import WorkingGrid
from DiffusionSegLib.methods.diffugts.workload import diffugts_trial, diffugts_workload
from DiffusionSegLib.methods.forecast import Economy
from DiffusionSegLib.methods.pinning import user_voxels
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Box, Prompt
from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegLib.nouns.verdict import PresenceVerdict, Verdict
from DiffusionSegLib.progress import Progress

__all__ = ["DiffuGtsPredictor"]

Floats = NDArray[np.float32]
_WORDS, _MARKS, _REFINE = (
    "words: anomaly maps choose a region, inpainting and residuals outline it",
    "marks: they choose a region, inpainting and residuals outline it",
    "refine: the mask is inpainted, residuals outline it",
)


class DiffuGtsPredictor:
    """Implements the method contract's Predictor. networks: None for a card without trained parts,
    which answers marks and refines, but takes no words."""

    def __init__(
        self,
        model: ModelEntry,
        backbone: GenerativeBackbone,
        networks: TrainedNetworks | None,
        device: str,
    ) -> None:
        self.model, self.backbone, self.networks, self.device = model, backbone, networks, device
        self.economy: Economy | None = None
        card = model.settings
        self.grid = WorkingGrid.from_dict(backbone.dims, card.get("grid", {}))
        self.rule = IntensityRule.from_dict(card["intensities"])
        self.limits = PresenceLimits.from_dict(card["presence"]) if networks else PresenceLimits()
        self.texts = TextSide(card.get("sentences"), device, model.folder)

    @staticmethod
    def load(model: ModelEntry, device: str) -> DiffuGtsPredictor:
        """Open the diffusion model that the card names, and what was trained; raises ModelError."""
        with memory_errors_explained(f"the model {model.id}"):
            backbone = open_generative(
                model.settings.get("backbone", {}), device, store_of(model), model.folder
            )
            trained = "networks" in model.settings
            networks = load_networks(model, device) if trained else None
            return DiffuGtsPredictor(model, backbone, networks, device)

    def embed(self, image: Image, region: Box | None, progress: Progress) -> DiffuGtsEmbedding:
        """Bring the image onto the backbone's grid; a single slice is shown to the encoder at once,
        those of a volume when a text needs them."""
        embedding = embed_image(
            image, region, self.backbone, self.grid, self.rule, self.model.id
        )
        if self.networks is not None and embedding.grid.shape_kji[0] == 1:
            reading = embedding.read_as("auto")
            with memory_errors_explained("this image"):
                self._see(embedding, reading, self.networks, progress)
        progress.report(1.0)
        return embedding

    def propose(
        self, embedding: DiffuGtsEmbedding, prompt: Prompt, run: RunOptions, progress: Progress
    ) -> Proposal:
        """Marks go before words: they say where. Raises PromptError for words to a model that has
        no trained parts, and for marks outside."""
        begun = time.monotonic()
        settings = self._settings(run)
        marks = grid_marks(prompt, embedding.source.geometry, embedding.grid)
        reading, target = embedding.read_as(settings.modality), asked_target(prompt.text)
        if self.networks is None and marks.is_empty:
            raise self._untrained()
        with memory_errors_explained("this image"):
            logits = self._logits(embedding, reading, target, progress.part(0.0, 0.2))
            finding = progress.part(0.2, 0.5)
            picture = reading.picture[0, 0].numpy()
            if marks.is_empty and self.networks is not None:
                between = embedding.grid.spacing_mm[2]
                coarse = coarse_mask(
                    picture, logits, self.networks.choice, settings.coarse, between, finding,
                    self._shelf(embedding, reading),
                )  # fmt: skip
                verdict = text_verdict(
                    float(coarse.quality.max()), self.limits, target, prompt.text
                )
                rule = _WORDS
            else:
                coarse = marked_mask(
                    picture, logits, marks.padded_to(picture.shape), self._marked(),
                    settings.coarse.canvas, finding, self._shelf(embedding, reading),
                )  # fmt: skip
                verdict, rule = marked_verdict(float(coarse.quality.max())), _MARKS
            outcome = self._outline(
                embedding, reading, target, coarse, logits, verdict, settings, run,
                progress.part(0.5, 1.0), rule,
            )  # fmt: skip
        progress.report(1.0)
        fixed = self._fixed(embedding, prompt)
        return make_proposal(self, embedding, outcome, prompt, run, fixed, begun)

    def refine(
        self,
        embedding: DiffuGtsEmbedding,
        mask: Mask,
        prompt: Prompt,
        run: RunOptions,
        progress: Progress,
        original: Mask | None,
    ) -> Proposal:
        """The user's mask takes the place of the coarse mask: what it covers is drawn as if it were
        healthy, and the difference decides near its border. Painted and erased voxels, clicks and
        strokes are exact in the result; so is all outside the region."""
        begun = time.monotonic()
        settings = self._settings(run)
        reading, target = embedding.read_as(settings.modality), asked_target(prompt.text)
        values = [label.value for label in self.model.labels]
        brush = embedding.grid.spacing_mm[0]
        fixed = user_voxels(mask, original, values, prompt, brush)
        grid_marks(prompt, embedding.source.geometry, embedding.grid)  # refuses marks outside
        belief = given_mask(mask, fixed, embedding.grid, reading.picture.shape[2:])
        told = np.where(belief >= 0.5, 1, -1).astype(np.int8)
        coarse = CoarseMask(belief, belief.max(axis=(1, 2)), told)
        with memory_errors_explained("this image"):
            logits = self._logits(embedding, reading, target, progress.part(0.0, 0.2))
            verdict = PresenceVerdict(Verdict.FOUND, 1.0, "The user outlined it in this image.")
            outcome = self._outline(
                embedding, reading, target, coarse, logits, verdict, settings, run,
                progress.part(0.2, 1.0), _REFINE,
            )  # fmt: skip
        progress.report(1.0)
        return make_proposal(self, embedding, outcome, prompt, run, fixed, begun, around=mask)

    def workload(self, embedding: DiffuGtsEmbedding, prompt: Prompt, run: RunOptions) -> Workload:
        """Of a propose; how large the lesion is shows only later."""
        settings = self._settings(run)
        return diffugts_workload(self.backbone, embedding, prompt, settings)

    def trial(self, embedding: DiffuGtsEmbedding, run: RunOptions, progress: Progress) -> float:
        """One window, one step."""
        progress.report(0.0, "Timing one step")
        settings = self._settings(run)
        with memory_errors_explained("this image"):
            return diffugts_trial(self.backbone, settings)

    def _settings(self, run: RunOptions) -> RunSettings:
        return RunSettings.of(run, self.model.settings, self.economy)

    def _see(
        self,
        embedding: DiffuGtsEmbedding,
        reading: Reading,
        networks: TrainedNetworks,
        progress: Progress,
    ) -> Sight:
        at_once = VOXELS_AT_ONCE // cut_down(self.economy).voxels_divisor
        return see(embedding, reading, self.backbone, networks.maps, progress, at_once)

    def _logits(
        self,
        embedding: DiffuGtsEmbedding,
        reading: Reading,
        target: AskedTarget,
        progress: Progress,
    ) -> Floats:
        """(K, J, I) of the padded picture: the anomaly map for the text, 0 without networks."""
        if self.networks is None:
            return np.zeros(tuple(reading.picture.shape[2:]), np.float32)
        sight = self._see(embedding, reading, self.networks, progress)
        vectors = self.texts.vectors(prompt_pair(target, reading.modality.name))
        items = tuple(reading.picture.shape[-self.backbone.dims :])
        found = read_maps(sight, self.networks.maps, vectors, items).logits
        return np.asarray((found if self.backbone.dims == 2 else found[0]).numpy())

    def _outline(
        self,
        embedding: DiffuGtsEmbedding,
        reading: Reading,
        target: AskedTarget,
        coarse: CoarseMask,
        logits: Floats,
        verdict: PresenceVerdict,
        settings: RunSettings,
        run: RunOptions,
        progress: Progress,
        rule: str,
    ) -> Outcome:
        outlining = Outlining(self.backbone, self.networks, embedding, reading, settings)
        texts: torch.Tensor | None = None
        if self.networks is not None:
            texts = self.texts.vectors(prompt_pair(target, reading.modality.name))
        found = outlining.run(coarse, logits, verdict, target, texts, run, progress)
        if reading.modality.remark:
            said = f"{found.verdict.reason} {reading.modality.remark}"
            found = replace(found, verdict=replace(found.verdict, reason=said))
        return replace(found, rule=rule)

    def _fixed(self, embedding: DiffuGtsEmbedding, prompt: Prompt) -> NDArray[np.int16] | None:
        likely = np.ones(embedding.geometry.shape_kji, np.int16)
        brush = embedding.grid.spacing_mm[0]
        return prompt_constraints(prompt, embedding.geometry, likely, brush)

    def _shelf(self, embedding: DiffuGtsEmbedding, reading: Reading) -> RegionShelf:
        shelf = embedding.kept.setdefault(("regions", reading.intensities), RegionShelf())
        assert isinstance(shelf, RegionShelf)
        return shelf

    def _marked(self) -> MarkedChoice:
        return UntrainedMarkedChoice() if self.networks is None else self.networks.marked

    def _untrained(self) -> PromptError:
        return PromptError(
            f"Words need a model with trained anomaly maps, and {self.model.id} has none: mark the "
            "object with a stroke, a box or a click, which this model takes, or choose the model "
            "compact. 'diffusionseg train diffugts' trains such maps."
        )
