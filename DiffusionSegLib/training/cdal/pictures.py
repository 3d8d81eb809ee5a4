"""Sample pictures for the training log."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.training.cdal.pack import Pack
from DiffusionSegLib.training.cdal.settings import Task
from DiffusionSegLib.training.cdal.step import TrainingStep
from DiffusionSegLib.training.cdal.validation import predict_classes


def sample_picture(
    task: Task, steps: TrainingStep, pack: Pack, count: int = 4
) -> NDArray[np.uint8]:
    """Rows of (image, truth, prediction) of the first validation cases, (height, width, 3)."""
    rows = []
    for case in pack.part("validation")[:count]:
        predicted = predict_classes(task, steps.average.network, steps.process, case)
        truth = case.label.numpy()
        middle = int(truth.reshape(len(truth), -1).sum(axis=1).argmax())
        image = case.image[0, middle].float().numpy() * 0.5 + 0.5
        panels = [image, truth[middle] / task.labels, predicted[middle] / task.labels]
        rows.append(np.concatenate(panels, axis=1))
    width, height = max(r.shape[1] for r in rows), max(r.shape[0] for r in rows)
    padded = [np.pad(r, [(0, height - r.shape[0]), (0, width - r.shape[1])]) for r in rows]
    gray = (np.concatenate(padded) * 255).clip(0, 255).astype(np.uint8)
    return np.repeat(gray[..., None], 3, axis=2)
