"""The pseudo-healthy image: what a frozen diffusion model finds likely in place of what is masked.

Only windows around the mask are denoised and decoded, in 2 or 3 dimensions alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from DiffusionSegLib.backbones.generative.interface import GenerativeBackbone
from DiffusionSegLib.compute.device import memory_errors_explained
from DiffusionSegLib.diffusion.inpainting import inpaint
from DiffusionSegLib.diffusion.latent_windows import Box
from DiffusionSegLib.diffusion.seeded_noise import SeededNoise, mixed_seed
from DiffusionSegLib.diffusion.windowed_pass import Placed, run_in_windows
from DiffusionSegLib.errors import ModelError
from DiffusionSegLib.methods.diffugts.inpainting_plan import (
    InpaintingPlan,
    PseudoHealthySettings,
    as_items,
    plan_inpainting,
)
from DiffusionSegLib.progress import Progress

__all__ = ["PseudoHealthy", "Shown", "pseudo_healthy"]

Shown = Callable[[Sequence[int], Tensor], object]

_DENOISING = 0.9  # share of the time, the rest is decoding


@dataclass(frozen=True)
class PseudoHealthy:
    """All on the CPU, float32, of the items and the box of ``plan`` only.

    images: (S, items, *voxels of the box) in [0, 1], one per seed, not averaged. baseline: (items,
    *voxels of the box), the picture as the autoencoder alone gives it back through the same
    windows; what differs from it is the diffusion model's doing, what differs from the picture may
    be the autoencoder's. Both fade into the picture where windows around the mask meet windows
    that do not touch it; the masked voxels never do. latent_difference: (S, items, C, *places of
    the box), the latent as it was less the one that was filled, exactly 0 outside the mask.
    filled: (items, *voxels of the box) bool, the voxels of the masked places. factor: voxels of a
    place.
    """

    images: Tensor
    baseline: Tensor
    latent_difference: Tensor
    filled: Tensor
    plan: InpaintingPlan
    factor: int

    @property
    def box(self) -> Box:
        """Of voxels, in each item."""
        return tuple(slice(s.start * self.factor, s.stop * self.factor) for s in self.plan.box)

    def residual(self, picture: Tensor, against_baseline: bool = True) -> Tensor:
        """(S, items, *voxels of the box): |baseline - image|, which leaves out what the
        autoencoder cannot draw, or |picture - image|. picture: as pseudo_healthy was given it."""
        if against_baseline:
            return (self.baseline - self.images).abs()
        return (self.cut(picture) - self.images).abs()

    def cut(self, picture: Tensor) -> Tensor:
        """(items, *voxels of the box) of a picture (1, 1, *voxels)."""
        items = as_items(picture, len(self.plan.box))[list(self.plan.items), 0]
        return items[(slice(None), *self.box)].float().cpu()

    def paste(self, values: Tensor, onto: Tensor) -> Tensor:
        """(1, 1, *voxels): a copy of ``onto`` with ``values`` (items, *voxels of the box) in it."""
        pasted = onto.clone()
        items = as_items(pasted, len(self.plan.box))
        for item, value in zip(self.plan.items, values, strict=True):
            items[item, 0][self.box] = value.to(pasted)
        return pasted


@torch.no_grad()
def pseudo_healthy(
    backbone: GenerativeBackbone,
    picture: Tensor,
    latent: Tensor | None,
    mask_voxels: Tensor,
    condition: Any,
    settings: PseudoHealthySettings | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    plan: InpaintingPlan | None = None,
    shown: Shown | None = None,
) -> PseudoHealthy:
    """picture: (1, 1, *voxels) in [0, 1] whose sides are multiples of the backbone's; a volume
    (1, 1, slices, rows, columns) for a model of two dimensions is read slice by slice, and slices
    without a masked voxel are not computed.

    latent: of the whole picture, (items, C, *places), as `encode` gives it for the slices as a
    batch; None encodes what is needed. mask_voxels: bool (*voxels), already grown (see
    grown_mask). condition: of `backbone.condition`. The result for a seed does not depend on how
    many seeds there are. plan: of `plan_inpainting` for the same mask, to spare making it again.

    shown: makes what a listener sees from the numbers of some of the plan's items and (those items,
    *voxels of the box) as the first seed has them so far; None lets reports carry no preview.

    Raises InputError for an empty mask, ModelError when the model gives no numbers,
    OutOfMemoryError and Cancelled.
    """
    settings = settings or PseudoHealthySettings()
    plan = plan or plan_inpainting(backbone, mask_voxels, settings)
    pictures = as_items(picture, backbone.dims)
    job = _Job(backbone, pictures, latent, condition, settings, seed, plan, shown)
    progress = progress or Progress.silent()
    with memory_errors_explained("the pseudo-healthy image"):
        parts = [job.run(part, progress.part(*share)) for part, share in job.parts()]
    return PseudoHealthy(
        torch.cat([images for images, _, _ in parts], dim=1),
        torch.cat([baseline for _, baseline, _ in parts]),
        torch.cat([difference for _, _, difference in parts], dim=1),
        _filled(plan, backbone.factor),
        plan,
        backbone.factor,
    )


@dataclass(frozen=True)
class _Job:
    backbone: GenerativeBackbone
    pictures: Tensor
    latent: Tensor | None
    condition: Any
    settings: PseudoHealthySettings
    seed: int
    plan: InpaintingPlan
    shown: Shown | None

    @property
    def batch(self) -> int:
        """Windows at a time."""
        return max(1, self.settings.places_at_once // math.prod(self.plan.window))

    def parts(self) -> Iterator[tuple[Sequence[int], tuple[float, float]]]:
        """Numbers within the plan's items that are worked at together, and their share of time."""
        counts = [len(windows) for windows in self.plan.windows]
        begin, done = 0, 0
        while begin < len(counts):
            end = begin + 1
            while end < len(counts) and self._fits(counts[begin : end + 1]):
                end += 1
            now = done + sum(counts[begin:end])
            yield range(begin, end), (done / sum(counts), now / sum(counts))
            begin, done = end, now

    def _fits(self, counts: Sequence[int]) -> bool:
        return sum(counts) * self.settings.seeds <= self.batch

    def run(self, part: Sequence[int], progress: Progress) -> tuple[Tensor, Tensor, Tensor]:
        """Images, baseline and latent difference of some items."""
        known = self._known(part)
        filled = self._inpaint(part, known, progress.part(0.0, _DENOISING, "Filling the mask"))
        if not bool(torch.isfinite(filled).all()):
            raise ModelError(
                f"The model {self.backbone.name} gave values that are not numbers; run it on the "
                "CPU, or install its weights again."
            )
        decoding = progress.part(_DENOISING, 1.0, "Decoding")
        images = self._decode(part, torch.cat([filled, known]), decoding)
        seeds = self.settings.seeds
        images = images.unflatten(0, (seeds + 1, len(part)))
        difference = known - filled.unflatten(0, (seeds, len(part)))
        return images[:-1].cpu(), images[-1].cpu(), difference.cpu()

    def _known(self, part: Sequence[int]) -> Tensor:
        items = [self.plan.items[n] for n in part]
        if self.latent is None:
            found = self.backbone.encode(self.pictures[items]).latent
        else:
            found = self.latent[items]
        return found[(slice(None), slice(None), *self.plan.box)].to(
            self.backbone.device, torch.float32
        )

    def _inpaint(self, part: Sequence[int], known: Tensor, progress: Progress) -> Tensor:
        """(seeds · items, C, *places of the box), the items of a seed beside each other."""
        seeds = range(self.settings.seeds)
        device = self.backbone.device
        numbers = [mixed_seed(self.seed, s, self.plan.items[n]) for s in seeds for n in part]
        mask = self.plan.masks[list(part)][(slice(None), None, *self.plan.box)].float().to(device)
        return inpaint(
            known.repeat(len(seeds), *[1] * (known.ndim - 1)),
            mask.repeat(len(seeds), *[1] * (mask.ndim - 1)),
            self.backbone.process,
            partial(self._predict, self._placed(part, len(seeds))),
            SeededNoise(numbers, known.shape[1:], device),
            self.settings.path,
            progress,
            None if self.shown is None else partial(self._preview, self.shown, part),
            self.plan.window,
        )

    def _predict(
        self, windows: Sequence[Placed], noisy: Tensor, level: float, progress: Progress
    ) -> Tensor:
        def network(pieces: Tensor) -> Tensor:
            return self.backbone.predict(pieces, level, self.condition)

        return run_in_windows(network, noisy, windows, self.batch, progress=progress).values

    def _decode(self, part: Sequence[int], latents: Tensor, progress: Progress) -> Tensor:
        """(rows, *voxels of the box) of latents (rows, C, *places of the box): some whole rounds of
        the items. Windows that are not decoded count as the picture itself."""
        factor, rounds = self.backbone.factor, len(latents) // len(part)
        windows = self._placed(part, rounds)
        made = run_in_windows(self.backbone.decode, latents, windows, self.batch, factor, progress)
        whole = [self.plan.layouts[n].weight(self.plan.box, factor) for n in part]
        share = made.weight[:, 0] / torch.stack(whole).to(made.weight).repeat(
            rounds, *[1] * len(self.plan.box)
        )
        voxels = tuple(slice(s.start * factor, s.stop * factor) for s in self.plan.box)
        items = [self.plan.items[n] for n in part]
        shown = self.pictures[items, 0][(slice(None), *voxels)].to(made.values)
        shown = shown.repeat(rounds, *[1] * len(self.plan.box))
        return torch.lerp(shown, made.values[:, 0], share.clamp(max=1.0)).clamp(0.0, 1.0)

    def _preview(self, shown: Shown, part: Sequence[int], clean: Tensor) -> object:
        with torch.no_grad():
            return shown(part, self._decode(part, clean[: len(part)], Progress.silent()).cpu())

    def _placed(self, part: Sequence[int], rounds: int) -> list[Placed]:
        corner = [side.start for side in self.plan.box]
        moved = [[window.moved(corner) for window in self.plan.windows[n]] for n in part]
        return [
            Placed(r * len(part) + row, window)
            for r in range(rounds)
            for row, windows in enumerate(moved)
            for window in windows
        ]


def _filled(plan: InpaintingPlan, factor: int) -> Tensor:
    filled = plan.masks[(slice(None), *plan.box)]
    for axis in range(1, filled.ndim):
        filled = filled.repeat_interleave(factor, dim=axis)
    return filled
