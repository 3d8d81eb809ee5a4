"""Weights with which the choices of a softmax have the highest expected Dice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from Testing.Benchmarks.zero_shot.click_examples import Example

__all__ = ["expected_dice", "fit_weights"]

_STEPS = 400
_RATE = 0.05
_DECAY = 3e-3  # of the mean square of the weights of measures scaled to a deviation of 1


def fit_weights(
    examples: Mapping[str, Sequence[Example]], emphasis: Mapping[str, float] | None = None
) -> NDArray[np.float64]:
    """(columns,): by gradient ascent; a data set counts by the root of its number of examples,
    times its emphasis where it has one."""
    emphasized = emphasis or {}
    every = np.concatenate([one.measures for some in examples.values() for one in some])
    mean, deviation = every.mean(axis=0), every.std(axis=0) + 1e-6
    total = sum(np.sqrt(len(some)) * emphasized.get(n, 1.0) for n, some in examples.items())
    data = [
        (
            emphasized.get(name, 1.0) / np.sqrt(len(some)) / total,
            torch.tensor((one.measures - mean) / deviation, dtype=torch.float32),
            torch.tensor(one.dice, dtype=torch.float32),
        )
        for name, some in examples.items()
        for one in some
    ]
    weights = torch.zeros(every.shape[1], requires_grad=True)
    optimizer = torch.optim.Adam([weights], _RATE)
    for _ in range(_STEPS):
        gain = torch.stack([w * (torch.softmax(x @ weights, 0) * y).sum() for w, x, y in data])
        loss = _DECAY * weights.square().mean() - gain.sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return np.asarray(weights.detach().numpy() / deviation, dtype=np.float64)


def expected_dice(examples: Sequence[Example], weights: NDArray[np.float64]) -> float:
    """Mean over the examples."""
    found = []
    for one in examples:
        score = one.measures @ weights
        share = np.exp(score - score.max())
        found.append(float((share * one.dice).sum() / share.sum()))
    return float(np.mean(found))
