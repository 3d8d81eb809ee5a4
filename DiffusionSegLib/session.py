"""The one way in: set an image once, then propose and refine as often as you like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from operator import index
from typing import Any, SupportsIndex

from DiffusionSegLib.backbones.fetching.first_use import make_ready
from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.compute.threads import share_processor
from DiffusionSegLib.errors import InputError, PromptError, unknown_name
from DiffusionSegLib.methods.contract import (
    Estimating,
    MethodDescription,
    Predictor,
    RunOptions,
    Value,
    Workload,
)
from DiffusionSegLib.methods.registry import get_method
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Box, Prompt
from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegLib.progress import Progress

__all__ = ["Session"]

_MOST_SAMPLES = 1000
_LARGEST_SEED = 2**31 - 1
_KEPT_EMBEDDINGS = 2


@dataclass(frozen=True)
class _Prepared:
    """An image with a region: what tells it from others, and what the method made of it."""

    key: str
    image: Image
    region: Box | None
    embedding: Any


class Session:
    """A method with a model on a device, and the image it works on.

    method, model: names (see `diffusionseg methods`, `models`); device: auto, cpu, cuda, cuda:N,
    xpu, xpu:N, mps; seed decides every random draw; samples: size of the ensemble (None: the
    model's own); parameters: of the method, by name. Raises UnknownNameError, InputError,
    ModelError and DeviceError.
    """

    def __init__(
        self,
        method: str,
        model: str | None = None,
        device: str = "auto",
        seed: int = 0,
        parameters: Mapping[str, Value] | None = None,
        samples: int | None = None,
        store: ModelStore | None = None,
    ) -> None:
        self._method = get_method(method)
        self.description: MethodDescription = self._method.description
        self.model: ModelEntry = (store or ModelStore()).find(self.description.name, model)
        self.configure(seed, samples, parameters)
        share_processor()
        from DiffusionSegLib.compute.device import resolve_device

        self.device = resolve_device(device)
        self._predictor: Predictor | None = None
        self._prepared: list[_Prepared] = []
        self._chosen: _Prepared | None = None
        self._last: Proposal | None = None

    def configure(
        self,
        seed: int = 0,
        samples: int | None = None,
        parameters: Mapping[str, Value] | None = None,
    ) -> None:
        """Replace what the constructor was given under these names; costs no new embedding.

        When this fails, the session is as it was before. Raises InputError, UnknownNameError.
        """
        self._run = RunOptions(
            _checked("seed", seed, 0, _LARGEST_SEED),
            None if samples is None else _checked("samples", samples, 1, _MOST_SAMPLES),
            _parameters(self.description, parameters or {}),
        )

    @property
    def is_image_set(self) -> bool:
        """Whether propose and refine can be called."""
        return self._chosen is not None

    def set_image(
        self, image: Image, region: Box | None = None, progress: Progress | None = None
    ) -> None:
        """Do the expensive, prompt-free part; the same image and region again cost nothing.

        When this is cancelled or fails, the session is as it was before.
        """
        progress = progress or Progress.silent()
        prepared = self._prepare(image, region, progress)
        progress.report(1.0)
        if self._chosen is None or prepared.key != self._chosen.key:
            self._last = None
        self._chosen = prepared

    def propose(
        self, prompt: Prompt | None = None, progress: Progress | None = None, preview: bool = False
    ) -> Proposal:
        """An outline for the prompt; needs set_image first. Raises InputError, PromptError.

        A region in the prompt replaces that of set_image for this call. With ``preview``, progress
        reports can make the current estimate: see RunOptions.
        """
        prompt, progress = prompt or Prompt(), progress or Progress.silent()
        current = self._checked_current("propose", prompt)
        run = replace(self._run, preview=preview)
        current, progress = self._within_region(current, prompt, progress)
        predictor = self._loaded(Progress.silent())
        self._last = predictor.propose(current.embedding, prompt, run, progress)
        return self._last

    def refine(
        self,
        edited_mask: Mask,
        prompt: Prompt | None = None,
        progress: Progress | None = None,
        original: Mask | None = None,
        preview: bool = False,
    ) -> Proposal:
        """Improve an edited mask. What the user painted or erased is kept voxel by voxel.

        Painted and erased are the voxels in which ``edited_mask`` differs from ``original`` (None:
        from the last proposal's mask at 0.5, if there is one), and what the prompt's clicks and
        scribbles say.
        """
        prompt, progress = prompt or Prompt(), progress or Progress.silent()
        current = self._checked_current("refine", prompt)
        if not self.description.refines:
            raise InputError(f"The method {self.description.name} cannot refine an outline.")
        if not edited_mask.geometry.is_close(current.image.geometry):
            edited_mask = _overlapping(edited_mask, current.image)
        if original is None and self._last is not None:
            original = self._last.mask()
        current, progress = self._within_region(current, prompt, progress)
        predictor = self._loaded(Progress.silent())
        self._last = predictor.refine(
            current.embedding,
            edited_mask,
            prompt,
            replace(self._run, preview=preview),
            progress,
            original,
        )
        return self._last

    def workload(self, prompt: Prompt | None = None) -> Workload | None:
        """What a propose would have to do; None when the method does not tell. Needs set_image."""
        current = self._checked_current("workload", prompt or Prompt())
        predictor = self._loaded(Progress.silent())
        if not isinstance(predictor, Estimating):
            return None
        return predictor.workload(current.embedding, prompt or Prompt(), self._run)

    def trial(self, progress: Progress | None = None) -> float | None:
        """Do one short step of a propose, for timing: how many units of the workload it was."""
        current = self._checked_current("trial", Prompt())
        predictor = self._loaded(Progress.silent())
        if not isinstance(predictor, Estimating):
            return None
        return predictor.trial(current.embedding, self._run, progress or Progress.silent())

    def _prepare(self, image: Image, region: Box | None, progress: Progress) -> _Prepared:
        """From the few that are kept, else made now."""
        key = f"{image.content_hash()}|{image.dimension}|{image.channel_names}|{region}"
        known = next((part for part in self._prepared if part.key == key), None)
        if known is None:
            predictor = self._loaded(progress.part(0.0, 0.3, "Loading the model"))
            embedding = predictor.embed(image, region, progress.part(0.3, 1.0))
            known = _Prepared(key, image, region, embedding)
        others = [part for part in self._prepared if part.key != key]
        self._prepared = [*others, known][-_KEPT_EMBEDDINGS:]
        return known

    def _within_region(
        self, current: _Prepared, prompt: Prompt, progress: Progress
    ) -> tuple[_Prepared, Progress]:
        if prompt.region is None or prompt.region == current.region:
            return current, progress
        part = self._prepare(current.image, prompt.region, progress.part(0.0, 0.3))
        return part, progress.part(0.3, 1.0)

    def _loaded(self, progress: Progress) -> Predictor:
        if self._predictor is None:
            progress.report(0.0)
            make_ready(self.model, str(self.device), progress.part(0.0, 0.5, "Downloading"))
            self._predictor = self._method.open(self.model, self.device)
            progress.report(1.0)
        return self._predictor

    def _checked_current(self, action: str, prompt: Prompt) -> _Prepared:
        if self._chosen is None:
            raise InputError(f"No image is set; call set_image(image) before {action}.")
        self._check_prompt(prompt, self._chosen.image.geometry)
        return self._chosen

    def _check_prompt(self, prompt: Prompt, geometry: Geometry) -> None:
        surplus = sorted(prompt.kinds - self.description.prompts - {"region"})
        if surplus:
            raise PromptError(
                f"The method {self.description.name} does not take {' or '.join(surplus)}; "
                f"it takes {', '.join(sorted(self.description.prompts))}."
            )
        if prompt.points:
            prompt.points_kji(geometry)
        for box in prompt.boxes:
            box.slices_kji(geometry)


def _overlapping(mask: Mask, image: Image) -> Mask:
    resampled = mask.resampled(image.geometry)
    if resampled.is_empty and not mask.is_empty:
        raise InputError("The edited mask lies outside the image; use the mask of this image.")
    return resampled


def _checked(name: str, value: object, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        number = low - 1
    else:
        number = index(value)
    if not low <= number <= high:
        raise InputError(f"{name} must be a whole number from {low} to {high}, not {value!r}.")
    return number


def _parameters(description: MethodDescription, values: Mapping[str, Value]) -> dict[str, Value]:
    specs = {spec.name: spec for spec in description.parameters}
    for name in values:
        if name not in specs:
            raise unknown_name(f"parameter of {description.name}", name, specs)
    return {name: specs[name].validate(value) for name, value in values.items()}
