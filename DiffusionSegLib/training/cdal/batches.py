"""Endless batches of training windows, reproducible from the generator's state alone."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from DiffusionSegLib.errors import InputError
from DiffusionSegLib.methods.cdal.masks import encode_labels
from DiffusionSegLib.training.cdal.augment import WindowSampler
from DiffusionSegLib.training.cdal.corruption import corrupt_classes
from DiffusionSegLib.training.cdal.pack import Pack, PackedCase
from DiffusionSegLib.training.cdal.settings import Task


@dataclass(frozen=True)
class Batch:
    """image: (B, channels, *window); clean: (B, mask_channels, *window) of ±1.

    given: as clean, with simulated user errors in some samples.
    """

    image: Tensor
    clean: Tensor
    given: Tensor


class Batches:
    """Draws batches from the training part; negatives with the task's probability."""

    def __init__(self, task: Task, pack: Pack, rng: torch.Generator) -> None:
        self._task, self._rng = task, rng
        self._cases = pack.part("train")
        self._negatives = pack.part("negative-train")
        self._sampler = WindowSampler(task)
        if not self._cases:
            raise InputError("The packed training data hold no training cases.")

    def draw(self, device: torch.device) -> Batch:
        """The next batch."""
        t = self._task.training
        windows = [self._sampler.draw(self._case(), self._rng) for _ in range(t.batch)]
        image = torch.stack([image for image, _ in windows])
        classes = torch.stack([c for _, c in windows])
        labels = self._task.labels
        clean = given = encode_labels(classes, labels)
        if t.corruption_probability:
            wrong = encode_labels(corrupt_classes(classes, labels, self._rng), labels)
            chosen = torch.rand(t.batch, generator=self._rng) < t.corruption_probability
            given = torch.where(chosen.reshape(-1, *[1] * (clean.ndim - 1)), wrong, clean)
        return Batch(image.to(device), clean.to(device), given.to(device))

    def _case(self) -> PackedCase:
        negative = torch.rand((), generator=self._rng) < self._task.training.negative_probability
        pool = self._negatives if negative and self._negatives else self._cases
        return pool[int(torch.randint(len(pool), (), generator=self._rng))]
