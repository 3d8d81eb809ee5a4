"""What is going to be filled, in which windows of which slices: known before any network runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from DiffusionSegLib.backbones.generative.interface import GenerativeBackbone
from DiffusionSegLib.diffusion.inpainting import InpaintingConfig
from DiffusionSegLib.diffusion.latent_windows import (
    Box,
    Window,
    WindowLayout,
    fitted_size,
    layout_around,
    shared_box,
)
from DiffusionSegLib.errors import InputError
from DiffusionSegLib.methods.diffugts.masked_places import masked_places

__all__ = ["InpaintingPlan", "PseudoHealthySettings", "as_items", "plan_inpainting"]


@dataclass(frozen=True)
class PseudoHealthySettings:
    """start, steps, jumps, eta: see InpaintingConfig. seeds: pseudo-healthy images drawn.

    The defaults draw the part anew from noise (our choice; the paper states none of them). From
    level 0.6 without noise on the way the bundled model mends little of a tumor: the mean
    difference inside tumors was 0.84 times that of the healthy rim around them, and is 1.23 times
    that with these defaults, at equal time (16 pictures; three jumps from 0.8 gave 1.25 in 2.4
    times the time).

    window: longest side of a window, in latent places; smaller masks get smaller windows, down to
    ``smallest_window``, see fitted_size. Small windows are quick and worse: the networks normalize
    over all that they are given, and see less around the mask. With the bundled model in slices of
    64 x 64 places, windows of 24 erred in the latent of healthy tissue by 0.43 (root mean square),
    of 48 by 0.50 and of 64 by 0.26, and the autoencoder alone in the image by 0.041, 0.022 and
    0.010. margin: places between the mask and its window's border. overlap: share of a window that
    the next one has in common with it. places_at_once: of all windows of one pass of a network,
    which bounds its memory.
    """

    start: float = 1.0
    steps: int = 10
    jumps: int = 1
    eta: float = 1.0
    seeds: int = 3
    window: int = 64
    smallest_window: int = 64
    margin: int = 4
    overlap: float = 0.25
    places_at_once: int = 8192

    def __post_init__(self) -> None:
        counts = (self.seeds, self.window, self.smallest_window, self.places_at_once)
        if min(counts) < 1 or self.margin < 0:
            raise ValueError(f"seeds and windows must be 1 or more, margins 0, in {self}")
        self.path  # noqa: B018  its own checks run now, not when everything is loaded

    @property
    def path(self) -> InpaintingConfig:
        """The steps from noise to clean."""
        return InpaintingConfig(self.start, self.steps, self.jumps, self.eta)


@dataclass(frozen=True)
class InpaintingPlan:
    """items: of the picture, those that are touched by the mask: slices of a volume for a
    two-dimensional model, else (0,). masks: (items, *places) of the latent. layouts, windows: of
    each item. box: the places that the windows of any item read."""

    items: tuple[int, ...]
    masks: Tensor
    layouts: tuple[WindowLayout, ...]
    windows: tuple[tuple[Window, ...], ...]
    box: Box

    @property
    def window(self) -> tuple[int, ...]:
        """Sides of a window, in places: all have the same."""
        return tuple(span.end - span.start for span in self.windows[0][0].spans)

    def denoised_windows(self, settings: PseudoHealthySettings) -> int:
        """Windows that the denoising network is run in, all in all: nearly all of the cost."""
        each = sum(len(windows) for windows in self.windows)
        return each * settings.seeds * settings.path.passes

    def decoded_windows(self, settings: PseudoHealthySettings) -> int:
        """Windows that are decoded: of every seed, and of the latent as it was."""
        return sum(len(windows) for windows in self.windows) * (settings.seeds + 1)


def as_items(values: Tensor, dims: int) -> Tensor:
    """(items, 1, *voxels) of (1, 1, *voxels), a view: the slices along the first axis of a volume
    for a model of two dimensions, else the one image."""
    if values.ndim == dims + 3:
        return values[0].transpose(0, 1)
    return values


def plan_inpainting(
    backbone: GenerativeBackbone, mask_voxels: Tensor, settings: PseudoHealthySettings
) -> InpaintingPlan:
    """mask_voxels: bool (*voxels), of 2 or 3 axes; see pseudo_healthy. Raises InputError when it
    is empty."""
    masks = as_items(mask_voxels[None, None], backbone.dims)[:, 0]
    items = tuple(int(n) for n in masks.flatten(1).any(1).nonzero()[:, 0])
    if not items:
        raise InputError(
            "The region to be shown as healthy holds no voxel; mark a larger one, or another place."
        )
    places = masked_places(masks[list(items)], backbone.factor)
    size = fitted_size(
        list(places),
        backbone.multiple // backbone.factor,
        settings.smallest_window,
        settings.window,
        settings.overlap,
        settings.margin,
    )
    layouts = [layout_around(one, size, settings.overlap, settings.margin) for one in places]
    windows = [tuple(one.touching(m)) for one, m in zip(layouts, places, strict=True)]
    box = shared_box(_flat(windows))
    return InpaintingPlan(items, places, tuple(layouts), tuple(windows), box)


def _flat(windows: Sequence[Sequence[Window]]) -> list[Window]:
    return [window for of_item in windows for window in of_item]
