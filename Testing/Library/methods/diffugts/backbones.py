"""Generative models in miniature, and the whole-image loop that windows are compared with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from DiffusionSegLib.backbones.generative.compact import CompactGenerative
from DiffusionSegLib.diffusion.latent_windows import WindowLayout
from DiffusionSegLib.diffusion.seeded_noise import SeededNoise, mixed_seed
from DiffusionSegLib.methods.diffugts.inpainting_plan import InpaintingPlan
from Testing.Library.backbones.compact.tiny import open_tiny, write_model
from Testing.Library.backbones.maisi import tiny_maisi


def plane_backbone(folder: Path) -> CompactGenerative:
    """Two dimensions, velocity, four voxels a place, windows of four places and its multiples."""
    return CompactGenerative(open_tiny(write_model(folder / "plane")))


def volume_backbone(folder: Path) -> Any:
    """Three dimensions, rectified flow, four voxels a place, windows of eight places."""
    return tiny_maisi.open_tiny(tiny_maisi.save_maisi(folder / "volume", "rflow-mr"), "rflow-mr")


class Counting:
    """A backbone that remembers how many rows each of its networks was given."""

    def __init__(self, backbone: Any) -> None:
        self._backbone = backbone
        self.rows: dict[str, int] = {"encode": 0, "decode": 0, "predict": 0}
        self.most = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backbone, name)

    def _count(self, name: str, given: Tensor) -> None:
        self.rows[name] += len(given)
        self.most = max(self.most, len(given))

    def encode(self, image: Tensor) -> Any:
        self._count("encode", image)
        return self._backbone.encode(image)

    def decode(self, latent: Tensor) -> Any:
        self._count("decode", latent)
        return self._backbone.decode(latent)

    def predict(self, noisy: Tensor, level: float, condition: Any) -> Any:
        self._count("predict", noisy)
        return self._backbone.predict(noisy, level, condition)


def all_windows(network: Any, whole: Tensor, layout: WindowLayout, scale: int = 1) -> Tensor:
    """One network in every window of a layout, one by one, blended by their weights: float64."""
    total, weights = torch.zeros(()), torch.zeros(())
    for window in layout.windows():
        made = network(whole[(..., *window.read())])
        if total.ndim == 0:
            sides = [n * scale for n in whole.shape[2:]]
            total = torch.zeros(len(whole), made.shape[1], *sides).double()
            weights = torch.zeros(sides).double()
        total[(..., *window.read(scale))] += window.weight(scale) * made
        weights[window.read(scale)] += window.weight(scale)
    return (total / weights).float()


def same_draws(
    plan: InpaintingPlan, number: int, seed: int, repeat: int, shape: Any
) -> Iterator[Tensor]:
    """The noise of one seed and item over the whole latent: in the plan's box as it is drawn there,
    elsewhere any other."""
    box = [side.stop - side.start for side in plan.box]
    inner = SeededNoise([mixed_seed(seed, repeat, plan.items[number])], (shape[1], *box))
    outer = SeededNoise([12345 + number], shape[1:])
    while True:
        drawn = outer()
        drawn[(slice(None), slice(None), *plan.box)] = inner()
        yield drawn
