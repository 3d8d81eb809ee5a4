"""The one way in: set an image once, then propose and refine as often as you like."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from DiffusionSegLib.backbones.fetching.first_use import make_ready
from DiffusionSegLib.backbones.manifest import ModelEntry
from DiffusionSegLib.backbones.store import ModelStore
from DiffusionSegLib.compute.threads import share_processor
from DiffusionSegLib.errors import InputError, OutOfMemoryError
from DiffusionSegLib.methods.checked_options import check_image, check_prompt, checked_run
from DiffusionSegLib.methods.contract import (
    Estimating,
    MethodDescription,
    Predictor,
    RunOptions,
    Value,
    Workload,
)
from DiffusionSegLib.methods.forecast import Economy, RunWish, Sparing
from DiffusionSegLib.methods.registry import get_method
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.prompt import Box, Prompt
from DiffusionSegLib.nouns.proposal import Proposal
from DiffusionSegLib.planning.calibration import Calibrations
from DiffusionSegLib.planning.descent import descend
from DiffusionSegLib.planning.plan import Plan, Rung
from DiffusionSegLib.planning.planner import Planner, Standing
from DiffusionSegLib.planning.rates import Rates
from DiffusionSegLib.planning.room import free_bytes
from DiffusionSegLib.planning.telling import tell_adjusted
from DiffusionSegLib.progress import Progress

__all__ = ["Session"]

_KEPT_EMBEDDINGS = 2


@dataclass(frozen=True)
class _Prepared:
    """An image with a region: what tells it from others, and what the method made of it on a device
    with an economy; embedding None: it did not fit into memory and is made when a prompt says where
    to look."""

    image_key: str
    image: Image
    region: Box | None
    device: str
    economy: Economy
    embedding: Any = None

    @property
    def key(self) -> tuple[object, ...]:
        """What two of the same have in common."""
        return self.image_key, self.region, self.device, self.economy


class Session:
    """A method with a model on a device, and the image it works on.

    What is asked is done as `plan` says: with less where memory is short, which the result tells.

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
        rates: Rates | None = None,
        calibrations: Calibrations | None = None,
        free: Callable[[str], int | None] = free_bytes,
    ) -> None:
        self._method = get_method(method)
        self.description: MethodDescription = self._method.description
        self.model: ModelEntry = (store or ModelStore()).find(self.description.name, model)
        self.configure(seed, samples, parameters)
        share_processor()
        from DiffusionSegLib.compute.device import resolve_device

        self.device = resolve_device(device)
        self.make_room: Callable[[], bool] = _no_room
        self._planner = Planner(self._method, self.model, rates, calibrations, free)
        self._predictor: Predictor | None = None
        self._elsewhere: Predictor | None = None  # on the processor, when a GPU had no room
        self._prepared: list[_Prepared] = []
        self._too_large: set[tuple[object, ...]] = set()
        self._answered: tuple[object, ...] = ()
        self._hashed: tuple[weakref.ref[Image], str] | None = None
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
        self._run = checked_run(self.description, seed, samples, parameters or {})

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
        key = self._known_key(image)
        wish = self._wish(image, region, Prompt())
        if self._chosen is None or self._chosen.image_key != key:
            self._too_large.clear()
        rungs = [one for one in self._rungs(wish) if one.samples is None]
        try:
            prepared = self._descended(
                rungs, wish, lambda rung: self._prepare(image, region, rung, progress), progress
            )[0]
        except OutOfMemoryError:
            if self._planner.economies.margin_mm <= 0 or region is not None:
                self._too_large.clear()
                raise
            prepared = _Prepared(key, image, region, "", Economy())
        progress.report(1.0)
        if self._chosen is None or not _same(prepared, self._chosen):
            self._last, self._answered = None, ()
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
        wish = self._wish(current.image, prompt.region or current.region, prompt)

        def attempt(rung: Rung) -> Proposal:
            part, rest = self._ready(wish, rung, progress)
            predictor, run = self._sparing(rung), self._run_on(rung, preview)
            answered, begun_s = self._standing(wish, rung).answered, time.monotonic()
            found = predictor.propose(part.embedding, prompt, run, rest)
            if not progress.enough:
                self._planner.learn_run(wish, rung, answered, time.monotonic() - begun_s)
            return found

        found, rung = self._descended(self._rungs(wish), wish, attempt, progress)
        self._answered = self._asking(wish)
        return self._told(found, rung)

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
        wish = self._wish(current.image, prompt.region or current.region, prompt)
        edited, before = edited_mask, original

        def attempt(rung: Rung) -> Proposal:
            part, rest = self._ready(wish, rung, progress)
            predictor, run = self._sparing(rung), self._run_on(rung, preview)
            return predictor.refine(part.embedding, edited, prompt, run, rest, before)

        rungs = self._rungs(wish, edited)
        return self._told(*self._descended(rungs, wish, attempt, progress))

    def plan(
        self, prompt: Prompt | None = None, image: Image | None = None, region: Box | None = None
    ) -> Plan:
        """How a propose would be done and what it would cost; nothing is loaded for it.

        image, region: None for those that are set. Raises InputError and PromptError.
        """
        prompt = prompt or Prompt()
        if image is None:
            current = self._checked_current("plan", prompt)
            image, region = current.image, region or current.region
        else:
            check_prompt(self.description, prompt, image.geometry, region)
        wish = self._wish(image, prompt.region or region, prompt)
        rungs = self._rungs(wish)
        number = self._first(rungs, wish)
        return self._planner.plan(wish, rungs, number, self._standing(wish, rungs[number]))

    def workload(self, prompt: Prompt | None = None) -> Workload | None:
        """What a propose would have to do; None when the method does not tell. Needs set_image."""
        current = self._checked_current("workload", prompt or Prompt())
        predictor = self._loaded(Progress.silent())
        if not isinstance(predictor, Estimating) or current.embedding is None:
            return None
        return predictor.workload(current.embedding, prompt or Prompt(), self._run)

    def trial(self, progress: Progress | None = None) -> float | None:
        """Do one short step of a propose, for timing: how many units of the workload it was."""
        current = self._checked_current("trial", Prompt())
        predictor = self._loaded(Progress.silent())
        if not isinstance(predictor, Estimating) or current.embedding is None:
            return None
        return predictor.trial(current.embedding, self._run, progress or Progress.silent())

    def _wish(self, image: Image, region: Box | None, prompt: Prompt) -> RunWish:
        return RunWish(image, region, prompt, self._run)

    def _rungs(self, wish: RunWish, mask: Mask | None = None) -> Sequence[Rung]:
        """Without those that were too large for this image before."""
        rungs = self._planner.ladder(wish, self.device, mask)
        if self._chosen is None or wish.image is not self._chosen.image:
            return rungs
        left = [one for one in rungs if one.key not in self._too_large]
        return left or rungs[-1:]

    def _first(self, rungs: Sequence[Rung], wish: RunWish) -> int:
        return self._planner.choose(wish, rungs, self._standing(wish, rungs[0]))

    def _descended(
        self,
        rungs: Sequence[Rung],
        wish: RunWish,
        attempt: Callable[[Rung], Any],
        progress: Progress,
    ) -> tuple[Any, Rung]:
        start = self._first(rungs, wish)
        if start > 0 and self._made_room():
            start = self._first(rungs, wish)
        if start > 0:
            progress.report(0.0, f"Memory is short: outlining {rungs[start].in_words}")
        return descend(rungs, start, attempt, progress, self._let_go, self._made_room)

    def _let_go(self, rung: Rung) -> None:
        """Of what a way that was too large has left behind."""
        self._prepared.clear()
        if self._chosen is not None:
            self._chosen = replace(self._chosen, embedding=None)
        self._too_large.add(rung.key)

    def _made_room(self) -> bool:
        """By letting go of images that are not in use, here and elsewhere."""
        kept = [part for part in self._prepared if part is self._chosen]
        spared = len(kept) < len(self._prepared)
        self._prepared = kept
        if self.make_room():
            self._too_large.clear()
            return True
        return spared

    def _standing(self, wish: RunWish, rung: Rung) -> Standing:
        """What is there already for a way to run."""
        loaded = set()
        if self._predictor is not None:
            loaded.add(self.device)
        if self._elsewhere is not None:
            loaded.add("cpu")
        image_key = self._known_key(wish.image)
        key = (image_key, rung.region or wish.region, rung.device, rung.economy)
        embedded = any(part.key == key for part in self._prepared)
        answered = bool(self._answered) and self._answered == self._asking(wish)
        return Standing(frozenset(loaded), embedded, embedded and answered)

    def _asking(self, wish: RunWish) -> tuple[object, ...]:
        """What makes a second propose cheaper when it is the same."""
        run = wish.run
        return self._known_key(wish.image), wish.region, run.seed, run.samples, str(run.parameters)

    def _told(self, found: Proposal, rung: Rung) -> Proposal:
        tell_adjusted(found, rung)
        self._last = found
        return found

    def _run_on(self, rung: Rung, preview: bool) -> RunOptions:
        return replace(self._run, samples=rung.samples or self._run.samples, preview=preview)

    def _ready(self, wish: RunWish, rung: Rung, progress: Progress) -> tuple[_Prepared, Progress]:
        """The image as the method wants it for a way to run, and the progress that is left."""
        region = rung.region or wish.region
        chosen = self._chosen
        fits = chosen is not None and chosen.embedding is not None and chosen.region == region
        if chosen is not None and fits and (chosen.device, chosen.economy) == (
            rung.device, rung.economy
        ):  # fmt: skip
            return chosen, progress
        part = self._prepare(wish.image, region, rung, progress.part(0.0, 0.3))
        if chosen is not None and chosen.region == region:
            self._chosen = part
        return part, progress.part(0.3, 1.0)

    def _prepare(
        self, image: Image, region: Box | None, rung: Rung, progress: Progress
    ) -> _Prepared:
        """From the few that are kept, else made now."""
        wanted = _Prepared(self._known_key(image), image, region, rung.device, rung.economy)
        known = next((part for part in self._prepared if part.key == wanted.key), None)
        if known is None:
            self._loaded(progress.part(0.0, 0.3, "Loading the model"), rung.device)
            predictor = self._sparing(rung)
            known = replace(
                wanted, embedding=predictor.embed(image, region, progress.part(0.3, 1.0))
            )
        others = [part for part in self._prepared if part.key != wanted.key]
        self._prepared = [*others, known][-_KEPT_EMBEDDINGS:]
        return known

    def _known_key(self, image: Image) -> str:
        """Reading every voxel takes a moment, so it is done once an image."""
        if self._hashed is None or self._hashed[0]() is not image:
            check_image(image)
            self._hashed = weakref.ref(image), _image_key(image)
        return self._hashed[1]

    def _sparing(self, rung: Rung) -> Predictor:
        """The predictor for a way to run, told to make do with less."""
        predictor = self._loaded(Progress.silent(), rung.device)
        if isinstance(predictor, Sparing):
            predictor.economy = rung.economy
        return predictor

    def _loaded(self, progress: Progress, device: str | None = None) -> Predictor:
        device = device or self.device
        known = self._predictor if device == self.device else self._elsewhere
        if known is not None:
            return known
        progress.report(0.0)
        make_ready(self.model, device, progress.part(0.0, 0.5, "Downloading"))
        opened = self._method.open(self.model, device)
        progress.report(1.0)
        if device == self.device:
            self._predictor = opened
        else:
            self._elsewhere = opened
        return opened

    def _checked_current(self, action: str, prompt: Prompt) -> _Prepared:
        if self._chosen is None:
            raise InputError(f"No image is set; call set_image(image) before {action}.")
        current = self._chosen
        check_prompt(self.description, prompt, current.image.geometry, current.region)
        return current


def _no_room() -> bool:
    return False


def _image_key(image: Image) -> str:
    return f"{image.content_hash()}|{image.dimension}|{image.channel_names}"


def _same(one: _Prepared, other: _Prepared) -> bool:
    """Whether they are of the same image and region."""
    return (one.image_key, one.region) == (other.image_key, other.region)


def _overlapping(mask: Mask, image: Image) -> Mask:
    resampled = mask.resampled(image.geometry)
    if resampled.is_empty and not mask.is_empty:
        raise InputError("The edited mask lies outside the image; use the mask of this image.")
    return resampled
