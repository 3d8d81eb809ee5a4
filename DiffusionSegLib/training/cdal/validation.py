"""Foreground Dice of whole validation cases, predicted exactly as inference does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from DiffusionSegLib.diffusion.variance_preserving import VariancePreservingProcess
from DiffusionSegLib.methods.cdal.ensemble import EnsembleSettings
from DiffusionSegLib.methods.cdal.generator import Generator
from DiffusionSegLib.methods.cdal.volume_ensemble import VolumeSampler
from DiffusionSegLib.methods.cdal.windows import ArraySource
from DiffusionSegLib.training.cdal.pack import PackedCase
from DiffusionSegLib.training.cdal.settings import Task


def predict_classes(
    task: Task,
    network: Generator,
    process: VariancePreservingProcess,
    case: PackedCase,
    samples: int = 1,
    seed: int = 0,
) -> NDArray[np.uint8]:
    """Class indices (K, J, I) of one packed case."""
    sampler = VolumeSampler(
        network, process, task.grid, task.labels, EnsembleSettings(samples), seed
    )
    mean = sampler.run(ArraySource(case.image.float().numpy())).mean
    inside = mean.sum(axis=0) >= 0.5
    return np.where(inside, mean.argmax(axis=0) + 1, 0).astype(np.uint8)


def dice_per_label(
    predicted: NDArray[np.uint8], truth: NDArray[np.uint8], labels: int
) -> list[float]:
    """Dice of each label; 1 where it is absent from both."""
    out = []
    for value in range(1, labels + 1):
        a, b = predicted == value, truth == value
        total = int(a.sum()) + int(b.sum())
        out.append(2 * int((a & b).sum()) / total if total else 1.0)
    return out


@torch.inference_mode()
def validate(
    task: Task, network: Generator, process: VariancePreservingProcess, cases: Sequence[PackedCase]
) -> list[float]:
    """Mean Dice per label over the cases."""
    scores = [
        dice_per_label(
            predict_classes(task, network, process, case), case.label.numpy(), task.labels
        )
        for case in cases
    ]
    return [float(v) for v in np.mean(scores, axis=0)]
