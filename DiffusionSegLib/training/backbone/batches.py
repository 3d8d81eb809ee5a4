"""Endless batches of crops with captions, reproducible from the generator's state alone."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.training.backbone.augment import CropSampler, plain_crop
from DiffusionSegLib.training.backbone.pack import Pack, Picture

__all__ = ["Batch", "Batches", "validation_batch"]

_PER_SOURCE = 3


@dataclass(frozen=True)
class Batch:
    """image: (B, 3, side, side) in [-1, 1]; text: (B, tokens, features) float32."""

    image: Tensor
    text: Tensor


class Batches:
    """Draws from the training part: first a source by its weight, then one of its pictures."""

    def __init__(self, pack: Pack, empty_text: float, rng: torch.Generator) -> None:
        self._pack, self._empty, self._rng = pack, empty_text, rng
        self._pictures: dict[str, list[Picture]] = {}
        for picture in pack.part("train"):
            self._pictures.setdefault(picture.source, []).append(picture)
        if not self._pictures:
            raise InputError("The packed training data hold no training pictures.")
        self._names = sorted(self._pictures)
        self._weights = torch.tensor([pack.weights[name] for name in self._names])

    def draw(self, count: int, side: int, device: torch.device) -> Batch:
        """The next ``count`` crops."""
        sampler = CropSampler(side)
        images, texts = [], []
        for _ in range(count):
            picture = self._picture()
            images.append(sampler.draw(picture.pixels, self._rng))
            texts.append(self._caption(picture))
        text = self._pack.text[torch.tensor(texts)].float()
        image = torch.stack(images).to(device, memory_format=torch.channels_last)
        return Batch(image, text.to(device))

    def _picture(self) -> Picture:
        source = int(torch.multinomial(self._weights, 1, generator=self._rng))
        pool = self._pictures[self._names[source]]
        return pool[int(torch.randint(len(pool), (), generator=self._rng))]

    def _caption(self, picture: Picture) -> int:
        """Number of one of its texts; 0 is the empty one."""
        empty = bool(torch.rand((), generator=self._rng) < self._empty)
        chosen = int(torch.randint(len(picture.captions), (), generator=self._rng))
        return 0 if empty else picture.captions[chosen]


def validation_batch(pack: Pack, side: int, seed: int, device: torch.device) -> Batch:
    """Some pictures of every source that has a validation part, always the same ones."""
    rng = torch.Generator().manual_seed(seed)
    pools: dict[str, list[Picture]] = {}
    for picture in pack.part("validation"):
        pools.setdefault(picture.source, []).append(picture)
    chosen = [
        pool[number * len(pool) // _PER_SOURCE]
        for _, pool in sorted(pools.items())
        for number in range(min(_PER_SOURCE, len(pool)))
    ]
    if not chosen:
        raise InputError("The packed training data hold no validation pictures.")
    image = torch.stack([plain_crop(picture.pixels, side, rng) for picture in chosen])
    text = pack.text[torch.tensor([picture.captions[0] for picture in chosen])].float()
    return Batch(image.to(device, memory_format=torch.channels_last), text.to(device))
