"""What tells the inside of a mask from its outside, learned from the mask itself: our choice.

A logistic regression with few weights cannot follow the mistakes of a mask, which are small and
lie anywhere; it finds what most of the inside has in common.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from DiffusionSegLib.methods.adzus.canvas import Canvas

__all__ = ["color_features", "fit_logits"]

Floats = NDArray[np.float32]
_MOST_SAMPLES = 6000
_ROUNDS = 8
_RIDGE = 3e-3


def color_features(canvas: Canvas) -> Floats:
    """(rows, columns, 9): L*a*b* and its products, so that a class can be a color among others."""
    color = canvas.color / np.float32(20.0)
    color = color - color.mean(axis=(0, 1))
    squares = [color[..., a] * color[..., b] for a in range(3) for b in range(a, 3)]
    return np.concatenate([color, np.stack(squares, axis=-1)], axis=-1)


def fit_logits(features: Floats, inside: NDArray[np.bool_], weights: Floats) -> NDArray[np.float64]:
    """(rows, columns): log odds of being inside, of a model fitted where weights are above 0.

    features: (rows, columns, n); inside: the classes, each of which counts half, whatever its
    size; weights: (rows, columns), how much every pixel counts. 0 everywhere when a class has no
    weight. Newton's method with a weak ridge.
    """
    used = np.flatnonzero(weights.ravel() > 0)
    used = used[:: max(1, len(used) // _MOST_SAMPLES)]
    truth = inside.ravel()[used].astype(np.float64)
    count = weights.ravel()[used].astype(np.float64)
    halves = (count * truth).sum(), (count * (1 - truth)).sum()
    if min(halves) <= 0:
        return np.zeros(inside.shape)
    count *= np.where(truth > 0, 0.5 / halves[0], 0.5 / halves[1])
    table = features.reshape(-1, features.shape[-1]).astype(np.float64)
    middle = count @ table[used]
    spread = np.sqrt(count @ (table[used] - middle) ** 2) + 1e-6
    table = np.concatenate([(table - middle) / spread, np.ones((len(table), 1))], axis=1)
    found = _newton(table[used], truth, count)
    return np.asarray((table @ found).reshape(inside.shape))


def _newton(
    table: NDArray[np.float64], truth: NDArray[np.float64], count: NDArray[np.float64]
) -> NDArray[np.float64]:
    found = np.zeros(table.shape[1])
    ridge = np.full(len(found), _RIDGE)
    ridge[-1] = 1e-6  # the constant
    for _ in range(_ROUNDS):
        odds = np.clip(table @ found, -15, 15)
        share = 1 / (1 + np.exp(-odds))
        slope = table.T @ (count * (truth - share)) - ridge * found
        curve = (table * (count * share * (1 - share))[:, None]).T @ table + np.diag(ridge)
        found = found + np.linalg.solve(curve, slope)
    return found
