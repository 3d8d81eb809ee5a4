"""From a coarse mask to the outline: inpainting, residuals, fusion; or as far as was asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from DiffusionSegLib.backbones.generative.interface import GenerativeBackbone, ScanFacts
from DiffusionSegLib.methods.constraints import FREE, Fixed
from DiffusionSegLib.methods.contract import RunOptions
from DiffusionSegLib.methods.diffugts.asked_target import AskedTarget
from DiffusionSegLib.methods.diffugts.coarse_mask import CoarseMask
from DiffusionSegLib.methods.diffugts.embedding import DiffuGtsEmbedding, Reading
from DiffusionSegLib.methods.diffugts.fused_outline import fused_outline, untrained_fusion
from DiffusionSegLib.methods.diffugts.inpainting_plan import InpaintingPlan, plan_inpainting
from DiffusionSegLib.methods.diffugts.masked_places import grown_mask
from DiffusionSegLib.methods.diffugts.networks import TrainedNetworks
from DiffusionSegLib.methods.diffugts.outcome import Outcome
from DiffusionSegLib.methods.diffugts.prompt_pair import healthy_description
from DiffusionSegLib.methods.diffugts.region_candidates import BODY
from DiffusionSegLib.methods.diffugts.residual_evidence import residual_evidence
from DiffusionSegLib.methods.diffugts.run_settings import RunSettings
from DiffusionSegLib.methods.diffugts.tidying import tidied
from DiffusionSegLib.nouns.geometry import Geometry
from DiffusionSegLib.nouns.image import Image
from DiffusionSegLib.nouns.mask import Mask
from DiffusionSegLib.nouns.verdict import PresenceVerdict, Verdict
from DiffusionSegLib.progress import Progress

__all__ = ["Outlining", "given_mask"]

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
_PAINTED, _ERASED = 1, 2
_SOFT_PIXELS = 1.5  # within which a given mask's border may move
_MOST_MASKED = 0.9  # share of a slice's body; where more is masked nothing healthy is left


@dataclass(frozen=True)
class Outlining:
    """networks: None without trained parts."""

    backbone: GenerativeBackbone
    networks: TrainedNetworks | None
    embedding: DiffuGtsEmbedding
    reading: Reading
    settings: RunSettings

    def run(
        self,
        coarse: CoarseMask,
        logits: Floats,
        verdict: PresenceVerdict,
        target: AskedTarget,
        texts: Tensor | None,
        run: RunOptions,
        progress: Progress,
    ) -> Outcome:
        """coarse, logits: on the padded picture. Nothing is inpainted when the verdict is NOT_FOUND
        or the coarse mask is empty."""
        threshold, evidence = self.settings.coarse.threshold, self.settings.evidence
        plain = Outcome(_centered(coarse.belief, threshold), verdict, logits)
        if evidence == "map" and self.networks is not None:
            return replace(plain, probability=_sigmoid(logits))
        inside = coarse.mask(threshold)
        plain = replace(plain, probability=np.where(inside, plain.probability, 0.0))
        if evidence in ("map", "coarse") or verdict.state is Verdict.NOT_FOUND or not inside.any():
            return plain
        grown = self._grown(inside)
        full = self._full_slices(grown)
        if full.any():
            reason = (
                f"{verdict.reason} Where the mask covers nearly all of a slice there is no healthy "
                "tissue to compare with; it was left as it is there."
            )
            plain = replace(plain, verdict=replace(verdict, reason=reason))
            grown[full] = False
        if not grown.any():
            return plain
        found = self._filled(plain, coarse.belief, grown, target, texts, run, progress)
        probability = np.where(full[:, None, None], plain.probability, found.probability)
        return replace(found, probability=tidied(probability, self.backbone.dims, coarse.told))

    def _filled(
        self,
        plain: Outcome,
        belief: Floats,
        grown: Bools,
        target: AskedTarget,
        texts: Tensor | None,
        run: RunOptions,
        progress: Progress,
    ) -> Outcome:
        picture = self.reading.picture
        condition = self.backbone.condition(self._facts(target))
        plan = plan_inpainting(self.backbone, torch.from_numpy(grown), self.settings.inpainting)
        shown = partial(self._preview, plan, belief) if run.preview else None
        projection = None if self.networks is None else self.networks.residual
        found = residual_evidence(
            self.backbone, picture, grown, condition, self.settings.inpainting, run.seed,
            projection, texts, progress, shown, plan,
        )  # fmt: skip
        fusion = untrained_fusion() if self.networks is None else self.networks.fusion
        with_feature = self.settings.evidence == "all"
        fused = fused_outline(found, belief, plain.logits, picture, fusion, with_feature)
        return replace(
            plain, probability=fused.probability, spread=fused.spread, healthy=fused.healthy
        )

    def _facts(self, target: AskedTarget) -> ScanFacts:
        i, j, k = self.embedding.grid.spacing_mm
        modality = self.reading.modality.name
        text = healthy_description(target, modality)
        return ScanFacts(text, modality, (k, j, i), target.region)

    def _grown(self, inside: Bools) -> Bools:
        i, j, k = self.embedding.grid.spacing_mm
        by_mm = self.settings.grow_mm or self.settings.grow_pixels * min(i, j)
        return grown_mask(inside, by_mm, (k, j, i))

    def _full_slices(self, grown: Bools) -> Bools:
        """(slices,): those with next to nothing left outside of the mask; for a three-dimensional
        model all or none."""
        body = self.reading.picture[0, 0].numpy() > BODY
        axes = (1, 2) if self.backbone.dims == 2 else (0, 1, 2)
        masked, whole = (grown & body).sum(axis=axes), body.sum(axis=axes)
        full = masked > _MOST_MASKED * np.maximum(whole, 1)
        return np.broadcast_to(full, (len(grown),)).copy()

    def _preview(
        self, plan: InpaintingPlan, belief: Floats, part: Sequence[int], images: Tensor
    ) -> Image:
        """The coarse belief, with what has changed so far in the slices being filled."""
        shown = belief.copy()
        voxels = tuple(
            slice(s.start * self.backbone.factor, s.stop * self.backbone.factor) for s in plan.box
        )
        volume = self.reading.picture[0, 0].numpy()
        for number, image in zip(part, images.numpy(), strict=True):
            item = plan.items[number]
            place: tuple[Any, ...] = (item, *voxels) if self.backbone.dims == 2 else voxels
            changed = np.abs(volume[place] - image) * 4
            shown[place] = np.where(belief[place] > 0, np.minimum(changed, 1.0), belief[place])
        k, j, i = self.embedding.grid.shape_kji
        cut = np.ascontiguousarray(shown[:k, :j, :i])[None]
        return Image(cut, self.embedding.grid, dimension=self.embedding.dimension)


def given_mask(mask: Mask, fixed: Fixed, grid: Geometry, shape: Sequence[int]) -> Floats:
    """(K, J, I) of the padded picture: belief in a mask that the user outlined, 0.5 at its border,
    and 1 or 0 where voxels are fixed."""
    held = ((mask.array != 0) & (fixed != 0)) | (fixed > 0)
    inside = Mask(held.astype(np.uint8), mask.geometry).resampled(grid).array != 0
    if not inside.any() and held.any():  # thinner than the grid's voxels
        places = np.rint(grid.ras_to_kji(mask.geometry.kji_to_ras(np.argwhere(held)))).astype(int)
        within = ((places >= 0) & (places < grid.shape_kji)).all(axis=1)
        inside[tuple(places[within].T)] = True
    axes = range(3) if inside.shape[0] == 1 else range(1, 3)
    belief = _soft(inside, tuple(axes))
    told = np.where(fixed == FREE, 0, np.where(fixed > 0, _PAINTED, _ERASED)).astype(np.uint8)
    on_grid = Mask(told, mask.geometry).resampled(grid).array
    belief[on_grid == _PAINTED], belief[on_grid == _ERASED] = 1.0, 0.0
    add = [(0, new - old) for new, old in zip(shape, belief.shape, strict=True)]
    return np.pad(belief, add).astype(np.float32)


def _soft(inside: Bools, axes: tuple[int, ...]) -> Floats:
    width = [_SOFT_PIXELS / 2 if axis in axes else 0.0 for axis in range(inside.ndim)]
    return np.asarray(ndimage.gaussian_filter(inside.astype(np.float32), width, mode="nearest"))


def _centered(belief: Floats, threshold: float) -> Floats:
    """With the threshold moved to 0.5."""
    below = 0.5 * belief / threshold
    above = 0.5 + 0.5 * (belief - threshold) / (1 - threshold)
    return np.where(belief < threshold, below, above).astype(np.float32)


def _sigmoid(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), dtype=np.float32)
