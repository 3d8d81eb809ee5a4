"""ADZUS with one diffusion model on one device: embed, propose, refine."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.backbones.latent_diffusion.interface import LatentDiffusion
from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.backbones.opening import open_backbone
from DiffusionSegLib.backbones.store import store_of
from DiffusionSegLib.compute.device import memory_errors_explained
from DiffusionSegLib.errors import InputError, ModelError
from DiffusionSegLib.methods.adzus.answer import Answer
from DiffusionSegLib.methods.adzus.embedding import AdzusEmbedding, embed_image
from DiffusionSegLib.methods.adzus.fixed_voxels import Fixed, edited_voxels, marked_voxels
from DiffusionSegLib.methods.adzus.refine_stack import refine_volume
from DiffusionSegLib.methods.adzus.run_settings import RunSettings
from DiffusionSegLib.methods.adzus.slice_answer import answer_slice
from DiffusionSegLib.methods.adzus.verdicts import verdict_of
from DiffusionSegLib.methods.adzus.view import whole_view
from DiffusionSegLib.methods.adzus.volume_answer import answer_volume
from DiffusionSegLib.methods.contract import RunOptions
from DiffusionSegLib.methods.forecast import Economy
from DiffusionSegLib.methods.run_provenance import run_provenance
from DiffusionSegLib.nouns.candidate import Candidate
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.label import Label
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Box, Prompt
from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegLib.nouns.provenance import Provenance
from DiffusionSegLib.progress import Progress

__all__ = ["AdzusPredictor"]

_REFINE_RULE = "refine: the mask walked over self-attention, its border drawn to edges"


class AdzusPredictor:
    """Implements the method contract's Predictor."""

    def __init__(self, model: ModelEntry, backbone: LatentDiffusion, device: str) -> None:
        self.model, self.backbone, self.device = model, backbone, device
        self.economy: Economy | None = None

    @staticmethod
    def load(model: ModelEntry, device: str) -> AdzusPredictor:
        """Open the diffusion model that the card names; raises ModelError."""
        settings = model.settings.get("backbone", {})
        try:
            RunSettings.of(RunOptions(), model.settings)
        except (ValueError, InputError) as error:
            raise ModelError(
                f"The card of the model {model.id} has unusable settings: {error}."
            ) from error
        with memory_errors_explained(f"the model {model.id}"):
            backbone = open_backbone(settings, device, store_of(model), model.folder)
            return AdzusPredictor(model, backbone, device)

    def embed(self, image: Image, region: Box | None, progress: Progress) -> AdzusEmbedding:
        """A single slice is shown to the network at once, those of a volume when needed."""
        embedding = embed_image(image, region, self.backbone)
        stack = embedding.stack
        view = whole_view(stack.size)
        if stack.count == 1 and view.is_usual:
            settings = self._settings(RunOptions())
            with memory_errors_explained("this image"):
                embedding.plane(0, view, settings.plane, progress)
        progress.report(1.0)
        return embedding

    def propose(
        self, embedding: AdzusEmbedding, prompt: Prompt, run: RunOptions, progress: Progress
    ) -> Proposal:
        """By the rule that fits the prompt; see slice_answer and volume_answer."""
        begun = time.monotonic()
        settings = self._settings(run)
        embedding.check_marks(prompt)
        answer_of = answer_slice if embedding.stack.count == 1 else answer_volume
        with memory_errors_explained("this image"):
            answer = answer_of(embedding, prompt, settings, progress)
        fixed = marked_voxels(prompt, embedding.stack)
        progress.report(1.0)
        return self._proposal(embedding, answer, fixed, prompt, run, begun)

    def refine(
        self,
        embedding: AdzusEmbedding,
        mask: Mask,
        prompt: Prompt,
        run: RunOptions,
        progress: Progress,
        original: Mask | None,
    ) -> Proposal:
        """Walks the mask over self-attention and draws its border to edges. Voxels that the user
        painted or erased, clicks and strokes are exact in the result; so is all outside the region.
        """
        begun = time.monotonic()
        embedding.check_marks(prompt)
        stack, settings = embedding.stack, self._settings(run)
        fixed = edited_voxels(mask, original, stack).updated(marked_voxels(prompt, stack))
        inside = stack.to_stack(mask.resampled(stack.image.geometry).array != 0)
        view = whole_view(stack.size)
        with memory_errors_explained("this image"):
            probability = refine_volume(
                stack, inside, fixed.included, fixed.excluded,
                lambda number, part: embedding.plane(number, view, settings.plane, part), progress,
            )  # fmt: skip
        answer = Answer(probability, 1.0, _REFINE_RULE, True)
        return self._proposal(embedding, answer, fixed, prompt, run, begun, mask)

    def _settings(self, run: RunOptions) -> RunSettings:
        return RunSettings.of(run, self.model.settings, self.economy)

    def _proposal(
        self,
        embedding: AdzusEmbedding,
        answer: Answer,
        fixed: Fixed,
        prompt: Prompt,
        run: RunOptions,
        begun: float,
        around: Mask | None = None,
    ) -> Proposal:
        stack = embedding.stack
        probability = fixed.put_into(answer.probability)
        verdict = verdict_of(answer, prompt.text, not bool((probability >= 0.5).any()))
        labels = self._labels(prompt.text)
        provenance = self._provenance(embedding, answer, prompt, run, begun)
        image = _with_surroundings(_image(stack.to_volume(probability), embedding), around)
        return Proposal(
            image,
            labels,
            verdict,
            provenance,
            alternatives=self._candidates(embedding, answer, labels, provenance),
            auxiliary={
                name: _image(stack.to_volume(array), embedding).resampled(
                    embedding.geometry, "nearest", 0.0
                )
                for name, array in answer.auxiliary.items()
            },
            geometry=embedding.geometry,
        )

    def _labels(self, text: str) -> tuple[Label, ...]:
        """The card's one label, named as the user asked."""
        label = self.model.labels[0]
        return (Label(label.value, text or label.name, label.color_rgb, label.terminology),)

    def _candidates(
        self,
        embedding: AdzusEmbedding,
        answer: Answer,
        labels: tuple[Label, ...],
        provenance: Provenance,
    ) -> tuple[Candidate, ...]:
        found = []
        for array, score, title in answer.candidates:
            volume = embedding.stack.to_volume(array).astype(np.uint8) * labels[0].value
            part = Mask(
                np.ascontiguousarray(volume), embedding.stack.image.geometry, labels, provenance,
                embedding.dimension,
            ).resampled(embedding.geometry)  # fmt: skip
            found.append(Candidate(part, min(max(score, 0.0), 1.0), title))
        return tuple(found)

    def _provenance(
        self,
        embedding: AdzusEmbedding,
        answer: Answer,
        prompt: Prompt,
        run: RunOptions,
        begun: float,
    ) -> Provenance:
        settings = self._settings(run)
        window = embedding.window(settings.plane.window)
        parameters: dict[str, Any] = {
            "timestep": settings.plane.timestep,
            "intensities": f"{window.name} ({window.low:g} to {window.high:g})",
            "backbone": self.backbone.name,
            "precision": str(self.backbone.dtype).removeprefix("torch."),
        }
        weights = str(getattr(self.backbone, "weights_sha256", ""))
        return run_provenance(
            self.model, weights, prompt, run, self.device, begun, parameters, answer.rule
        )


def _image(volume_kji: NDArray[Any], embedding: AdzusEmbedding) -> Image:
    array = np.ascontiguousarray(volume_kji)[None]
    return Image(array, embedding.stack.image.geometry, dimension=embedding.dimension)


def _with_surroundings(part: Image, around: Mask | None) -> Image:
    """The part put into the mask that it was cut from; what lies around it stays as it was."""
    if around is None or around.geometry == part.geometry:
        return part
    inside = np.ones(part.array.shape[1:], dtype=np.uint8)
    covered = Mask(inside, part.geometry).resampled(around.geometry).array != 0
    whole = part.resampled(around.geometry, outside=0.0).array[0]
    kept = np.where(covered, whole, (around.array != 0).astype(np.float32))
    return Image(kept[None].astype(np.float32), around.geometry, dimension=part.dimension)
